'use strict'

// Has each request answered by the process that has its session. A request that comes to the wrong process is relayed,
// or the socket of a WebSocket is handed over. This process keeps requests without a session, and requests of a session
// whose process has gone.

const net = require('node:net')
const { RspoolError, invalidArgument } = require('../../errors')
const { SEAT } = require('../../native/wire')
const { show } = require('../../pool/options/validate')
const { EngineSessions, isEngine, tellEnd } = require('./engine')
const { leaveFolder, socketPath } = require('./folder')
const { Ids } = require('./ids')
const { Inlet } = require('./inlet')
const { ownerOf, readerOf, sidOf } = require('./reading')
const { relay, tunnel, headOf, leave } = require('./relay')
const { DRAINS, EXITS } = require('../topics')

/**
 * @typedef {import('node:http').IncomingMessage} IncomingMessage
 * @typedef {import('./ids').Owner} Owner
 * @typedef {import('../types').HandedOver} HandedOver
 * @typedef {{ readStop?: () => void, close: () => void }} Handle
 * @typedef {net.Socket & { _handle?: Handle|null, encrypted?: boolean }} Socket
 */

class Router {
  #place
  #region
  #servers
  #topics
  #send
  #ids
  #read
  #sticky
  /** @type {EngineSessions[]} */
  #engines = []
  /** @type {Inlet|undefined} */
  #inlet
  /** The sockets of sessions whose process has gone. @type {WeakSet<net.Socket>} */
  #stays = new WeakSet()
  /** The paths of the sockets of other processes. @type {WeakMap<Owner, string>} */
  #paths = new WeakMap()
  /** The pids of the cluster's processes, as last read. */
  #pids = new Set()
  /** The pids of processes that are about to end. @type {Set<number>} */
  #leaving = new Set()
  /** True until it can take requests that others relay. */
  pending = true

  /**
   * @param {object} parts
   * @param {import('../types').Sticky} parts.sticky
   * @param {import('../types').Place} parts.place changes when a spare is given a slot
   * @param {import('../region').SharedRegion} parts.region
   * @param {import('../process/servers').Servers} parts.servers
   * @param {import('../topics').Topics} parts.topics
   * @param {((message: HandedOver, handle: Handle, done: (error: Error|null) => void) => void)|undefined} parts.send to the primary
   */
  constructor({ sticky, place, region, servers, topics, send }) {
    this.#sticky = sticky
    this.#place = place
    this.#region = region
    this.#servers = servers
    this.#topics = topics
    this.#send = send
    this.#ids = new Ids(sticky.key)
    this.#read = readerOf(sticky.where, undefined)
  }

  /** Sets the function of the option, which only a process that called `cluster.run` with it has. @param {unknown} own */
  use(own) {
    if (typeof own === 'function' && 'function' in this.#sticky.where)
      this.#read = readerOf(
        this.#sticky.where,
        /** @type {(head: import('./reading').Head) => string|undefined} */ (own)
      )
  }

  /** Begins to take requests that others relay. Called when this process has its slot. @returns {Promise<void>} */
  async start() {
    const { folder } = this.#sticky
    if (folder !== undefined) {
      this.#inlet = new Inlet({
        find: (key) => this.#servers.find(key),
        knows: (pid) => this.#knows(pid),
        own: (server) => this.#servers.leave(server),
        answers: (socket) => this.#servers.answers(socket)
      })
      const own = socketPath(folder, this.#self)
      await this.#inlet.listen(own)
      process.once('exit', () => leaveFolder(folder, own))
      this.#hearDrains(folder)
    }
    this.pending = false
  }

  /** An id for a new session of this process. */
  id() {
    return this.#ids.make(this.#self)
  }

  /** See `context.sticky`. @param {unknown} io */
  follow(io) {
    const engine = /** @type {{ engine?: unknown }|null} */ (io)?.engine ?? io
    if (!isEngine(engine)) {
      throw invalidArgument(
        `sticky: expected a server of socket.io that was given its HTTP server, or one of engine.io, got ${show(io)}`
      )
    }
    engine.generateId = () => this.id()
    this.#engines.push(new EngineSessions(engine, (request) => this.#ownIdOf(request)))
  }

  /** Reacts to processes that are about to end. */
  #hearDrains(/** @type {string} */ folder) {
    if (!this.#topics.exist) return
    this.#topics.subscribe(EXITS, (process) => {
      this.#leaving.delete(/** @type {{ pid: number }} */ (process).pid)
    })
    this.#topics.subscribe(DRAINS, (_, { pid, slot, generation }) => {
      // A waiting long poll would keep the relaying process alive, and so would an idle connection.
      this.#leaving.add(pid)
      this.#answerPolls()
      if (slot !== undefined) leave(socketPath(folder, { slot, generation }))
    })
  }

  /** Answers the long polls that come through a process that is about to end. */
  #answerPolls() {
    for (const sessions of this.#engines) sessions.answerPolls((socket) => this.#isLeaving(socket))
  }

  /** Whether the process that relays to a socket is about to end. */
  #isLeaving(/** @type {object} */ socket) {
    const pid = this.#inlet?.relayerOf(socket)
    return pid !== undefined && this.#leaving.has(pid)
  }

  /** Whether another process relays to this socket. @param {net.Socket} socket */
  isRelayed(socket) {
    return this.#inlet?.relayerOf(socket) !== undefined
  }

  /** Whether the router itself ends this conversation in a drain. @param {IncomingMessage} request */
  ends(request) {
    return this.#engines.length > 0 && /[?&]EIO=\d/.test(request.url ?? '')
  }

  /** Ends the sessions that it follows, within `grace` milliseconds. @param {number} grace */
  async drain(grace) {
    this.#topics.tell(DRAINS, process.pid)
    await Promise.all(this.#engines.map((sessions) => sessions.end(grace)))
  }

  close() {
    this.#inlet?.close()
  }

  /**
   * Has a request answered by another process. False if it belongs to this one.
   * @param {net.Server} server
   * @param {import('./relay').Request} request
   * @param {import('./relay').Response} response
   * @param {boolean} asks see `relay`
   * @param {() => void} stay called if it belongs to this process after all
   */
  takes(server, request, response, asks, stay) {
    const target = this.#targetOf(server, request)
    if (target === undefined) {
      // The engine gets the poll before this turn is over.
      if (this.#isLeaving(request.socket)) setImmediate(() => this.#answerPolls())
      return false
    }
    relay(target, request, response, { gone: stay, lost: () => this.#answerLost(request, response), asks })
    return true
  }

  /**
   * The same for an upgrade.
   * @param {net.Server} server
   * @param {IncomingMessage} request
   * @param {Socket} socket
   * @param {Buffer} head
   * @param {() => void} stay
   */
  takesSocket(server, request, socket, head, stay) {
    const owner = this.#ownerOf(request)
    const target = owner && this.#targetOf(server, request)
    if (target === undefined || owner === undefined) return false
    if (!this.#handOver(owner, target.server, request, socket, head)) tunnel(target, request, socket, head, stay)
    return true
  }

  /** A socket that another process has handed over, or that the primary gives back. @param {HandedOver} message @param {Handle} handle */
  receive({ server: key, head, back }, handle) {
    const server = this.#servers.find(key)
    const socket = new net.Socket(
      /** @type {net.SocketConstructorOpts} */ ({ handle, readable: true, writable: true, allowHalfOpen: true })
    )
    socket.on('error', () => {})
    if (server === undefined) return void socket.destroy()
    if (back) this.#stays.add(socket)
    socket.unshift(Buffer.from(head, 'base64'))
    server.emit('connection', socket)
    socket.resume()
  }

  /**
   * Hands a socket over through the primary, which can give sockets to every process. The TLS state of a connection
   * cannot leave this process.
   */
  #handOver(
    /** @type {Owner} */ { slot, generation },
    /** @type {string|undefined} */ server,
    /** @type {IncomingMessage} */ request,
    /** @type {Socket} */ socket,
    /** @type {Buffer} */ head
  ) {
    const handle = socket._handle
    if (this.#send === undefined || !handle?.readStop || socket.encrypted) return false
    // Bytes that come from now on are for the other process.
    handle.readStop()
    socket._handle = null
    socket.destroy()
    const text = Buffer.concat([headOf(request), head]).toString('base64')
    this.#send({ rspool: 'socket', slot, generation, server, head: text }, handle, () => handle.close())
    return true
  }

  /** The process that had the request has ended, and the session with it. */
  #answerLost(/** @type {import('./relay').Request} */ request, /** @type {import('./relay').Response} */ response) {
    const fail = () => {
      response.statusCode = 502
      response.end()
    }
    if (this.#engines.length > 0 && this.#ownIdOf(request) !== undefined) tellEnd(request, response, fail)
    else fail()
  }

  #targetOf(/** @type {net.Server} */ server, /** @type {import('./relay').Request} */ request) {
    const { folder } = this.#sticky
    const owner = this.#ownerOf(request)
    if (owner === undefined || folder === undefined) return undefined
    this.#region.countOwn(this.#place.row, 'relayed')
    // An owner is the same object while its texts are remembered.
    let path = this.#paths.get(owner)
    if (path === undefined) this.#paths.set(owner, (path = socketPath(folder, owner)))
    return { path, server: this.#servers.keyOf(server) }
  }

  /**
   * The other process that has the session; undefined if this process has it, or there is no session.
   * @returns {Owner|undefined}
   */
  #ownerOf(/** @type {import('./relay').Request} */ request) {
    const { method = '', url = '', headers, socket } = request
    if (this.#stays.has(socket)) return undefined
    const owner = ownerOf(this.#ids, this.#read, { method, url, headers })
    if (owner === undefined) return undefined
    const { slot, generation } = this.#place
    return owner.slot === slot && owner.generation === generation ? undefined : owner
  }

  /** The id of a session of engine.io, if this cluster has made it. @returns {string|undefined} */
  #ownIdOf(/** @type {{ url?: string|undefined }} */ { url = '' }) {
    const id = sidOf(url)
    return id !== undefined && this.#ids.find(id) !== undefined ? id : undefined
  }

  #knows(/** @type {number} */ pid) {
    if (!this.#pids.has(pid)) {
      const seats = Array.from({ length: this.#region.layout.seats.count }, (_, seat) =>
        this.#region.get(seat, SEAT.PID)
      )
      this.#pids = new Set(seats)
    }
    return pid > 0 && this.#pids.has(pid)
  }

  /** @returns {Owner} */
  get #self() {
    const { slot, generation } = this.#place
    if (slot !== undefined) return { slot, generation }
    throw new RspoolError('ERR_RSPOOL_NO_SLOT', 'a spare process has no sessions before it takes a slot')
  }
}

module.exports = { Router }
