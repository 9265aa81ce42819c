'use strict'

// The listening sockets of a cluster. Core opens them in the primary when the first process asks, and
// closes them when the last one has left: from then on clients are refused, until the next process
// asks. Here a socket stays open while a process is on its way, so clients wait in the system's queue,
// and those that the primary has accepted already wait beside it.
//
// A process asks by the internal message 'queryServer'. While core handles that, it listens by the
// public method of net.Server (round robin) or makes a handle by `net._createServerHandle` (the
// processes accept by themselves); that is where a socket is met, and where one that was kept is
// given back. Where core does neither, nothing is kept.

const fs = require('node:fs')
const net = /** @type {any} */ (require('node:net'))
const { errorMonitor } = require('node:events')
const native = /** @type {any} */ (require('../../native/load'))

/**
 * @typedef {{ close: () => void, fd: number, onconnection?: (status: number, client: any) => void }} Handle
 * @typedef {{ fd: number, clients: Handle[] }} Kept
 * @typedef {{ handle: Handle, closed: boolean }} Port a socket as long as core has it
 */

class Ports {
  #wanted
  /** Those that core has, by place. @type {Map<string, Port>} */
  #open = new Map()
  /** Those of which no process is left, by place. @type {Map<string, Kept>} */
  #kept = new Map()
  /** The places by the names that core has for them. @type {Map<string, string>} */
  #named = new Map()
  /** Core takes a process off its lists, and closes what nobody has any more. */
  #leaving = false
  #restore = () => {}

  /** @param {() => boolean} wanted is a process on its way that may listen? */
  constructor(wanted) {
    this.#wanted = wanted
  }

  /** @param {any} worker as core made it, just forked */
  follow({ process: child }) {
    // These come before and after core's own listeners.
    child.prependListener('internalMessage', (/** @type {any} */ message) => {
      if (message?.cmd !== 'NODE_CLUSTER') return
      if (message.act === 'queryServer') this.#meet(placeOf(message))
      else if (message.act === 'close') this.#leaving = true
    })
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
    return this.#open.get(this.#named.get(key) ?? '')
  }

  /**
   * Finds a new home for a connection whose socket core has closed: the next socket of the place, or
   * the queue before that. False when there is neither.
   * @param {string} key
   * @param {Handle} client
   */
  keep(key, client) {
    const kept = this.#kept.get(this.#named.get(key) ?? '')
    if (kept !== undefined) kept.clients.push(client)
    else this.get(key)?.handle.onconnection?.(0, client)
    return kept !== undefined || this.get(key) !== undefined
  }

  /** Accepts no more: clients are refused from now on, and not left in a queue that is about to go. */
  refuse() {
    for (const { handle } of this.#open.values()) if (handle.onconnection !== undefined) drop(handle)
  }

  /** Looks whether what is kept is still wanted, and closes it if not. */
  review() {
    if (this.#kept.size === 0 || this.#wanted()) return
    for (const { fd, clients } of this.#kept.values()) {
      fs.closeSync(fd)
      clients.forEach(drop)
    }
    this.#kept.clear()
  }

  /** Until core has handled the query, what listens does so for `place`. */
  #meet(/** @type {string} */ place) {
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
      const kept = ports.#take(place)
      this.once(errorMonitor, () => kept?.clients.forEach(drop))
      this.once('listening', () => {
        const handle = this._handle
        // Core takes the handle over in a listener that comes after this one.
        process.nextTick(() => ports.#follow(place, handle, kept))
      })
      const given = kept === undefined ? options : { fd: kept.fd, backlog: options?.backlog }
      return Reflect.apply(listen, this, [given, ...rest])
    }
    net._createServerHandle = (/** @type {any[]} */ ...args) => {
      ports.#restore()
      const kept = ports.#take(place)
      const given = kept === undefined ? args : [undefined, undefined, undefined, kept.fd]
      const handle = Reflect.apply(create, net, given)
      // A number is an error.
      if (typeof handle === 'object') ports.#follow(place, handle, kept)
      return handle
    }
  }

  #take(/** @type {string} */ place) {
    const kept = this.#kept.get(place)
    this.#kept.delete(place)
    return kept
  }

  #follow(/** @type {string} */ place, /** @type {Handle} */ handle, /** @type {Kept|undefined} */ kept) {
    const ports = this
    /** What core closed although it may be served yet. @type {Handle[]} */
    const left = []
    const port = { handle, closed: false }
    this.#open.set(place, port)
    handle.close = () => {
      port.closed = true
      if (this.#open.get(place) === port) this.#open.delete(place)
      ports.#closing(place, handle.fd, left.splice(0))
      return drop(handle)
    }
    const { onconnection } = handle
    if (onconnection === undefined) return
    /** @this {Handle} */
    function close() {
      if (ports.#leaving) left.push(this)
      else drop(this)
    }
    handle.onconnection = (status, client) => {
      if (client !== undefined) client.close = close
      onconnection(status, client)
    }
    for (const client of kept?.clients ?? []) handle.onconnection(0, client)
  }

  /** The last process has left: a copy of the socket stays, if another will come. */
  #closing(/** @type {string} */ place, /** @type {number} */ fd, /** @type {Handle[]} */ clients) {
    if (this.#wanted()) {
      try {
        this.#kept.set(place, { fd: native.duplicate(fd), clients })
        return
      } catch {
        // There is no descriptor left: clients are refused, as they would be without this.
      }
    }
    clients.forEach(drop)
  }
}

/** What a process asks for, in words that are the same for all of them. @param {any} query */
function placeOf({ address, port, addressType, fd, index }) {
  return JSON.stringify([address, port, addressType, fd, port === 0 ? index : 0])
}

/** Closes a handle, whatever its own `close` has become. @param {Handle} handle */
function drop(handle) {
  return Reflect.apply(Object.getPrototypeOf(handle).close, handle, [])
}

module.exports = { Ports, placeOf, drop }
