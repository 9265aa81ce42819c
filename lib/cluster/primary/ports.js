'use strict'

// The listening sockets of a cluster. Core opens them in the primary when the first process asks, and
// closes them when the last one has left: from then on clients are refused, until the next process
// asks. Here the primary has each socket by a descriptor of its own, from the beginning, and core gets
// copies: whatever core closes, clients wait in the system's queue as long as a process is on its way, and
// those that the primary has accepted already wait beside it.
//
// A process asks by the internal message 'queryServer'. While core handles that, it listens by the
// public method of net.Server (round robin) or makes a handle by `net._createServerHandle` (the
// processes accept by themselves); that is where a socket is met. Where core does neither, nothing is kept.

const fs = require('node:fs')
const net = /** @type {any} */ (require('node:net'))
const { errorMonitor } = require('node:events')
const native = require('../../native/load')
const { listenAtPath } = require('./unix-socket')

/**
 * @typedef {{ close: () => void, fd: number, onconnection?: (status: number, client?: Handle) => void }} Handle
 * @typedef {{ handle: Handle, closed: boolean }} Port a socket as long as core has it
 * @typedef {object} Socket
 * @property {number} fd the primary's own descriptor
 * @property {Port} [port] core's
 * @property {Handle[]} clients accepted, and waiting for a process
 * @property {() => void} remove takes away what names it in the file system
 * @typedef {{ address?: string, port?: number, addressType?: number|string, fd?: number, index?: number }} Where
 * @typedef {Where & { backlog?: number, readableAll?: boolean, writableAll?: boolean }} Query
 */

class Ports {
  #wanted
  #fresh
  /** By place. @type {Map<string, Socket>} */
  #sockets = new Map()
  /** Those of which the primary could have no copy, by place. @type {Map<string, Port>} */
  #loose = new Map()
  /** The places by the names that core has for them. @type {Map<string, string>} */
  #named = new Map()
  /** Core takes a process off its lists, and closes what nobody has any more. */
  #leaving = false
  #restore = () => {}
  #onExit = () => this.close()

  /**
   * @param {() => boolean} wanted is a process on its way that may listen?
   * @param {import('../sticky/fresh').Fresh} [fresh] what is accepted goes there first
   */
  constructor(wanted, fresh) {
    this.#wanted = wanted
    this.#fresh = fresh
    // Whatever ends this program: no path stays that leads nowhere.
    process.on('exit', this.#onExit)
  }

  /** @param {{ process: import('node:events').EventEmitter }} worker as core made it, just forked */
  follow({ process: child }) {
    // These come before and after core's own listeners.
    child.prependListener(
      'internalMessage',
      (/** @type {Query & { cmd?: string, act?: string }|undefined} */ message) => {
        if (message?.cmd !== 'NODE_CLUSTER') return
        if (message.act === 'queryServer') this.#meet(placeOf(message), message)
        else if (message.act === 'close') this.#leaving = true
      }
    )
    child.on('internalMessage', () => {
      this.#restore()
      this.#leaving = false
    })
    for (const event of ['disconnect', 'exit']) {
      child.prependListener(event, () => {
        this.#leaving = true
      })
      child.on(event, () => {
        this.#leaving = false
      })
    }
  }

  /** Core calls a place so. @param {string} place @param {string} key */
  name(place, key) {
    this.#named.set(key, place)
  }

  /** @param {string} key */
  get(key) {
    const place = this.#named.get(key) ?? ''
    return this.#sockets.get(place)?.port ?? this.#loose.get(place)
  }

  /**
   * Finds a new home for a connection whose socket core has closed: the next socket of the place, or
   * the queue before that. False when there is neither.
   * @param {string} key
   * @param {Handle} client
   */
  keep(key, client) {
    const port = this.get(key)
    const socket = this.#sockets.get(this.#named.get(key) ?? '')
    if (port !== undefined) port.handle.onconnection?.(0, client)
    else socket?.clients.push(client)
    return port !== undefined || socket !== undefined
  }

  /**
   * Accepts no more: clients are refused from now on, and not left in a queue that is about to go. Where the
   * processes accept by themselves, they do that.
   */
  async refuse() {
    // The first of these may come before the loop polls, the second comes after it has accepted what waits.
    for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate)
    this.#fresh?.flush()
    for (const { handle } of this.#ports()) if (handle.onconnection !== undefined) drop(handle)
    this.close()
  }

  /** Looks whether the sockets that core has closed are still wanted, and closes them if not. */
  review() {
    if (this.#wanted()) return
    for (const [place, socket] of this.#sockets) if (socket.port === undefined) this.#forget(place, socket)
  }

  *#ports() {
    for (const { port } of this.#sockets.values()) if (port !== undefined) yield port
    yield* this.#loose.values()
  }

  /** Closes all that the primary has. */
  close() {
    process.off('exit', this.#onExit)
    this.#fresh?.close()
    for (const [place, socket] of this.#sockets) this.#forget(place, socket)
  }

  #forget(/** @type {string} */ place, /** @type {Socket} */ socket) {
    this.#sockets.delete(place)
    if (socket.port !== undefined) this.#loose.set(place, socket.port)
    socket.remove()
    fs.closeSync(socket.fd)
    socket.clients.forEach(drop)
  }

  /** Until core has handled the query, what listens does so for `place`. */
  #meet(/** @type {string} */ place, /** @type {Query} */ query) {
    const ports = this
    const { prototype } = net.Server
    const { listen } = prototype
    const create = net._createServerHandle
    this.#restore = () => {
      prototype.listen = listen
      net._createServerHandle = create
      this.#restore = () => {}
    }
    prototype.listen = function (/** @type {any} */ options, /** @type {any[]} */ ...rest) {
      ports.#restore()
      const copy = ports.#copy(place, query)
      this.once(errorMonitor, () => ports.#failed(place))
      this.once('listening', () => {
        const handle = this._handle
        // Core takes the handle over in a listener that comes after this one.
        process.nextTick(() => ports.#follow(place, handle))
      })
      const given = copy === undefined ? options : { fd: copy, backlog: options?.backlog }
      return Reflect.apply(listen, this, [given, ...rest])
    }
    net._createServerHandle = (/** @type {any[]} */ ...args) => {
      ports.#restore()
      const copy = ports.#copy(place, query)
      const given = copy === undefined ? args : [undefined, undefined, undefined, copy]
      const handle = Reflect.apply(create, net, given)
      // A number is an error.
      if (typeof handle === 'object') ports.#follow(place, handle)
      return handle
    }
  }

  /** A copy for core of the socket of a place: of one that is known, that was inherited, or that is a path. */
  #copy(/** @type {string} */ place, /** @type {Query} */ query) {
    try {
      if (!this.#sockets.has(place)) this.#open(place, query)
      const socket = this.#sockets.get(place)
      return socket === undefined ? undefined : native.duplicate(socket.fd)
    } catch {
      // There is no descriptor left, or it is not open: core says so in its own words.
      return undefined
    }
  }

  #open(/** @type {string} */ place, /** @type {Query} */ { address, port, fd, ...options }) {
    if (fd !== undefined && fd >= 0) {
      // Core closes what it is given. The number has to stay good for the next process.
      this.#sockets.set(place, { fd: native.duplicate(fd), clients: [], remove: () => {} })
    } else if (port === -1 && typeof address === 'string') {
      const bound = listenAtPath(address, options)
      if (bound !== undefined) this.#sockets.set(place, { ...bound, clients: [] })
    }
  }

  #failed(/** @type {string} */ place) {
    const socket = this.#sockets.get(place)
    if (socket !== undefined && socket.port === undefined) this.#forget(place, socket)
  }

  #follow(/** @type {string} */ place, /** @type {Handle} */ handle) {
    /** What core closed although it may be served yet. @type {Handle[]} */
    const left = []
    const port = { handle, closed: false }
    const socket = this.#own(place, handle)
    if (socket === undefined) this.#loose.set(place, port)
    else socket.port = port
    handle.close = () => {
      port.closed = true
      if (this.#loose.get(place) === port) this.#loose.delete(place)
      if (socket?.port === port) socket.port = undefined
      if (socket === undefined || this.#sockets.get(place) !== socket) left.splice(0).forEach(drop)
      else socket.clients.push(...left.splice(0))
      const result = drop(handle)
      this.review()
      return result
    }
    const { onconnection } = handle
    if (onconnection === undefined) return
    const ports = this
    /** @this {Handle} */
    function close() {
      if (ports.#leaving) left.push(this)
      else drop(this)
    }
    handle.onconnection = (status, client) => {
      if (client === undefined) return onconnection(status)
      client.close = close
      if (this.#fresh === undefined) return onconnection(status, client)
      this.#fresh.meet(client, () => (port.closed ? this.#keep(place, socket, client) : onconnection(status, client)))
    }
    for (const client of socket?.clients.splice(0) ?? []) handle.onconnection(0, client)
  }

  /** A connection whose port was closed while it waited. */
  #keep(/** @type {string} */ place, /** @type {Socket|undefined} */ socket, /** @type {Handle} */ client) {
    if (socket === undefined || this.#sockets.get(place) !== socket) drop(client)
    else if (socket.port === undefined) socket.clients.push(client)
    else socket.port.handle.onconnection?.(0, client)
  }

  /** The primary's own descriptor of what core has just opened. */
  #own(/** @type {string} */ place, /** @type {Handle} */ handle) {
    const known = this.#sockets.get(place)
    if (known !== undefined) return known
    try {
      /** @type {Socket} */
      const socket = { fd: native.duplicate(handle.fd), clients: [], remove: () => {} }
      this.#sockets.set(place, socket)
      return socket
    } catch {
      // There is no descriptor left: clients are refused when all have left, as they would be without this.
      return undefined
    }
  }
}

/**
 * What a process asks for, in words that are the same for all of them. A descriptor is told by what it leads
 * to: its number may come to mean another socket.
 * @param {Where} query
 */
function placeOf({ address, port, addressType, fd, index }) {
  return JSON.stringify([address, port, addressType, socketOf(fd), port === 0 ? index : 0])
}

/** @param {number|undefined} fd */
function socketOf(fd) {
  if (fd === undefined || fd < 0) return undefined
  try {
    const { dev, ino } = fs.fstatSync(fd)
    return [dev, ino]
  } catch {
    return fd
  }
}

/** Closes a handle, whatever its own `close` has become. @param {Handle} handle */
function drop(handle) {
  return Reflect.apply(Object.getPrototypeOf(handle).close, handle, [])
}

module.exports = { Ports, placeOf, drop }
