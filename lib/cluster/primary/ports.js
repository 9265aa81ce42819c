'use strict'

// The listening sockets of a cluster. Core opens them in the primary when the first process asks, and
// closes them when the last one has left: from then on clients are refused, until the next process
// asks. So the primary keeps its own descriptor of each socket from the beginning, and core gets copies. Whatever core
// closes, clients wait in the system's queue while a process is on its way, and connections that the primary has
// accepted already wait beside it.
//
// A process asks by the internal message 'queryServer'. While core handles that, it listens by the
// public method of net.Server (round robin) or makes a handle by `net._createServerHandle` (the
// processes accept by themselves); this code takes the socket there. If core does neither, nothing is kept.

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
 * @property {Handle[]} clients accepted connections that wait for a process
 * @property {() => void} remove removes its path in the file system
 * @typedef {{ address?: string, port?: number, addressType?: number|string, fd?: number, index?: number }} Where
 * @typedef {Where & { backlog?: number, readableAll?: boolean, writableAll?: boolean, data?: object|null }} Query
 */

class Ports {
  #wanted
  #fresh
  /** The sockets by place. @type {Map<string, Socket>} */
  #sockets = new Map()
  /** Sockets of which the primary could not get a copy, by place. @type {Map<string, Port>} */
  #loose = new Map()
  /** The places by core's names for them. @type {Map<string, string>} */
  #named = new Map()
  /** The places where clients speak first. @type {Set<string>} */
  #clientsFirst = new Set()
  /** Whether core is removing a process from its lists, and closing the sockets that no process has any more. */
  #leaving = false
  #restore = () => {}
  #onExit = () => this.close()

  /**
   * @param {() => boolean} wanted whether a process is on its way that may listen
   * @param {import('../sticky/fresh').Fresh} [fresh] gets accepted connections first
   */
  constructor(wanted, fresh) {
    this.#wanted = wanted
    this.#fresh = fresh
    // However this program ends, it must leave no dead path behind.
    process.on('exit', this.#onExit)
  }

  /** @param {{ process: import('node:events').EventEmitter }} worker as core made it, just forked */
  follow({ process: child }) {
    // These listeners run before and after core's own.
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

  /** Notes core's name for a place. @param {string} place @param {string} key */
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
   * the queue for it. False if there is neither.
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
   * Accepts no more connections: clients are refused from now on, instead of being left in a queue that is about to go.
   * If the processes accept by themselves, they do this.
   */
  async refuse() {
    // The first immediate may run before the loop polls. The second runs after it has accepted the waiting connections.
    for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate)
    this.#fresh?.flush()
    for (const { handle } of this.#ports()) if (handle.onconnection !== undefined) drop(handle)
    this.close()
  }

  /** Closes the sockets that core has closed, unless they are still wanted. */
  review() {
    if (this.#wanted()) return
    for (const [place, socket] of this.#sockets) if (socket.port === undefined) this.#forget(place, socket)
  }

  *#ports() {
    for (const { port } of this.#sockets.values()) if (port !== undefined) yield port
    yield* this.#loose.values()
  }

  /** Closes all sockets of the primary. */
  close() {
    process.off('exit', this.#onExit)
    this.#fresh?.close()
    for (const [place, socket] of this.#sockets) this.#forget(place, socket)
  }

  #forget(/** @type {string} */ place, /** @type {Socket} */ socket) {
    this.#sockets.delete(place)
    this.#clientsFirst.delete(place)
    if (socket.port !== undefined) this.#loose.set(place, socket.port)
    socket.remove()
    fs.closeSync(socket.fd)
    socket.clients.forEach(drop)
  }

  /** Until core has handled the query, a server that listens does so for `place`. */
  #meet(/** @type {string} */ place, /** @type {Query} */ query) {
    const ports = this
    // Servers of TLS give their ticket keys, and those of HTTP see `Servers`.
    if (query.data) this.#clientsFirst.add(place)
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
        // Core takes over the handle in a listener that runs after this one.
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

  /** A copy for core of the socket of a place: a known socket, an inherited one, or a path. */
  #copy(/** @type {string} */ place, /** @type {Query} */ query) {
    try {
      if (!this.#sockets.has(place)) this.#open(place, query)
      const socket = this.#sockets.get(place)
      return socket === undefined ? undefined : native.duplicate(socket.fd)
    } catch {
      // No descriptor is left, or it is not open: core reports that itself.
      return undefined
    }
  }

  #open(/** @type {string} */ place, /** @type {Query} */ { address, port, fd, ...options }) {
    if (fd !== undefined && fd >= 0) {
      // Core closes the descriptor that it gets. The number must stay valid for the next process.
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
    /** Connections that core closed although they may still be served. @type {Handle[]} */
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
      const first = this.#clientsFirst.has(place) ? 'client' : 'either'
      this.#fresh.meet(client, first, () =>
        port.closed ? this.#keep(place, socket, client) : onconnection(status, client)
      )
    }
    for (const client of socket?.clients.splice(0) ?? []) handle.onconnection(0, client)
  }

  /** A connection whose port was closed while it waited. */
  #keep(/** @type {string} */ place, /** @type {Socket|undefined} */ socket, /** @type {Handle} */ client) {
    if (socket === undefined || this.#sockets.get(place) !== socket) drop(client)
    else if (socket.port === undefined) socket.clients.push(client)
    else socket.port.handle.onconnection?.(0, client)
  }

  /** The primary's own descriptor of a socket that core has just opened. */
  #own(/** @type {string} */ place, /** @type {Handle} */ handle) {
    const known = this.#sockets.get(place)
    if (known !== undefined) return known
    try {
      /** @type {Socket} */
      const socket = { fd: native.duplicate(handle.fd), clients: [], remove: () => {} }
      this.#sockets.set(place, socket)
      return socket
    } catch {
      // No descriptor is left: clients are refused when all processes have left, as they would be without this code.
      return undefined
    }
  }
}

/**
 * The place that a process asks for, in a form that is the same for all processes. A descriptor is identified by its
 * socket, since its number may be used again for another socket.
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
