'use strict'

// The servers of this process, so that a drain can end them without the application's help. All servers of http,
// https, http2, tls and net are net.Servers: they listen by the same method, and all their events pass through `emit`,
// even those of a server that never listens and gets its connections from the application.

const net = require('node:net')
const diagnostics = require('node:diagnostics_channel')
const { EventEmitter } = require('node:events')
const { Connections, kindOf } = require('./connections')
const { Datagrams } = require('./datagrams')

/**
 * @typedef {import('./connections').Server} Server
 * @typedef {import('./connections').Told} Told
 */

/** Emits 'listening' when a server listens and none is about to, 'held' when one has to wait with that, and 'change' when in a drain a connection has ended. */
class Servers extends EventEmitter {
  /** The servers that were told to listen. @type {Set<Server>} */
  #known = new Set()
  /** @type {Set<Server>} */
  #pending = new Set()
  /** Those that the drain has closed, of which their applications know nothing, and whether they have said so. @type {Map<Server, boolean>} */
  #shut = new Map()
  #refusing = false
  /** The held calls of servers that were told to listen. @type {(() => void)[]|undefined} */
  #held
  #connections
  #datagrams = new Datagrams()
  #onRequest = (/** @type {unknown} */ told) => this.#connections.begin(/** @type {Told} */ (told))
  #onResponse = (/** @type {unknown} */ told) => this.#connections.finish(/** @type {Told} */ (told))
  #restore
  /** Passes requests to the process of their session. @type {import('../sticky/router').Router|undefined} */
  #router
  /** The helper's own servers. @type {WeakSet<Server>} */
  #left = new WeakSet()
  /**
   * The servers by the place where they listen, which is the same in all processes; closed ones, too.
   * @type {Map<string, Server>}
   */
  #places = new Map()

  /** @param {import('./requests').Requests} requests */
  constructor(requests) {
    super()
    this.#connections = new Connections(requests, () => {
      if (this.#refusing) this.emit('change')
    })
    this.#restore = this.#attach()
    diagnostics.subscribe('http.server.request.start', this.#onRequest)
    diagnostics.subscribe('http.server.response.finish', this.#onResponse)
  }

  /** Intercepts the methods of all servers. Gives a function that undoes this. */
  #attach() {
    const servers = this
    const { prototype } = net.Server
    const { listen, close, emit } = prototype
    const call = (/** @type {Function} */ method, /** @type {Server} */ server, /** @type {unknown[]} */ args) =>
      Reflect.apply(method, server, args)
    const own = {
      /**
       * Core gives the result to the primary, which accepts the connections. A server of TLS has this method.
       * @this {Server}
       */
      _getServerData() {
        return kindOf(this) === 'bytes' ? null : { clientsSpeakFirst: true }
      },
      /** @this {Server} */
      listen(/** @type {unknown[]} */ ...args) {
        if (servers.#left.has(this)) return call(listen, this, args)
        const start = () => {
          servers.#known.add(this)
          servers.#pending.add(this)
          return call(listen, this, args)
        }
        if (servers.#held === undefined) return start()
        servers.#held.push(start)
        servers.emit('held')
        return this
      },
      /** @this {Server} */
      close(/** @type {unknown[]} */ ...args) {
        if (!servers.#shut.has(this)) return call(close, this, args)
        const [done] = args
        servers.#whenShut(this, typeof done === 'function' ? /** @type {() => void} */ (done) : () => {})
        return this
      },
      /** @this {Server} */
      emit(/** @type {unknown[]} */ ...args) {
        // The most frequent event.
        if (args[0] === 'request' && !servers.#refusing && servers.#router === undefined) return call(emit, this, args)
        if (servers.#left.has(this)) return call(emit, this, args)
        return servers.#happens(this, args, () => call(emit, this, args))
      }
    }
    Object.assign(prototype, own)
    return () => {
      Object.assign(prototype, { listen, close })
      // `emit` was inherited.
      Reflect.deleteProperty(prototype, 'emit')
      Reflect.deleteProperty(prototype, '_getServerData')
    }
  }

  /** Leaves one server alone. @param {Server} server */
  leave(server) {
    this.#left.add(server)
  }

  /** @param {import('../sticky/router').Router} router */
  route(router) {
    this.#router = router
    this.#connections.route(router)
  }

  /** Whether an answer has begun on a connection, and not ended. @param {net.Socket} socket */
  answers(socket) {
    return this.#connections.answers(socket)
  }

  /** The key by which other processes name a server; undefined if it does not listen itself. @param {Server} server */
  keyOf(server) {
    for (const [key, known] of this.#places) if (known === server) return key
    return undefined
  }

  /** The server with this key, or the one that takes requests if there is no key. @param {string|undefined} key */
  find(key) {
    if (key !== undefined) return this.#places.get(key)
    return [...this.#places.values()].find((server) => server.listenerCount('request') > 0)
  }

  /** Leaves the servers alone from now on. */
  release() {
    this.#restore()
    this.#datagrams.release()
    diagnostics.unsubscribe('http.server.request.start', this.#onRequest)
    diagnostics.unsubscribe('http.server.response.finish', this.#onResponse)
  }

  /** Servers that are told to listen wait until `go` is called. */
  hold() {
    this.#held = []
  }

  /** Servers that were told to listen do so now. */
  go() {
    const held = this.#held ?? []
    this.#held = undefined
    for (const start of held) start()
  }

  /** How many calls of `listen` wait. */
  get held() {
    return this.#held?.length ?? 0
  }

  get listening() {
    let count = 0
    for (const server of this.#known) if (server.listening) count++
    return count
  }

  /** The servers that were told to listen and do not yet. */
  get pending() {
    return this.#pending.size
  }

  get connections() {
    return this.#connections.size
  }

  #happens(
    /** @type {Server} */ server,
    /** @type {any[]} */ [name, first, second, third],
    /** @type {() => boolean} */ emit
  ) {
    const connections = this.#connections
    switch (name) {
      case 'listening':
        this.#places.set(placeOf(server), server)
        this.#settle(server)
        break
      case 'error':
        this.#settle(server)
        break
      case 'close':
        this.#pending.delete(server)
        if (this.#shut.has(server)) this.#shut.set(server, true)
        setImmediate(() => this.emit('change'))
        break
      case 'connection':
      case 'secureConnection':
        return connections.arrive(server, first, emit)
      case 'session':
        connections.addSession(first)
        break
      case 'stream':
        return connections.beginStream(first, second, emit)
      case 'upgrade': {
        const stay = () => {
          connections.leaveHttp(first, second)
          return emit()
        }
        if (!this.#router?.takesSocket(server, first, second, third, stay)) return stay()
        connections.leaveAlone(second)
        return true
      }
      case 'connect':
        connections.leaveHttp(first, second)
        break
      case 'request':
      case 'checkContinue':
      case 'checkExpectation':
        // Requests that were sent together are all known when this turn is over: only the last answer may close.
        if (this.#refusing && first.httpVersionMajor === 1) {
          setImmediate(() => {
            if (connections.takes(first.socket)) this.#request(server, name, first, second, emit)
          })
          return true
        }
        return this.#request(server, name, first, second, emit)
    }
    return emit()
  }

  /** The request may belong to this process or to another. */
  #request(
    /** @type {Server} */ server,
    /** @type {string} */ name,
    /** @type {import('./connections').IncomingMessage} */ request,
    /** @type {import('./connections').ServerResponse} */ response,
    /** @type {() => boolean} */ emit
  ) {
    const asks = name === 'checkContinue'
    return this.#router?.takes(server, request, response, asks, emit) || emit()
  }

  #settle(/** @type {Server} */ server) {
    if (!this.#pending.delete(server)) return
    // The listeners of the application run first.
    setImmediate(() => {
      if (this.#refusing) this.#shutDown(server)
      if (this.#pending.size === 0 && this.listening > 0) this.emit('listening')
    })
  }

  /** From now on no connection is accepted, and every answer ends its connection. @param {number} idle see `closeIdle` */
  refuse(idle) {
    this.#refusing = true
    if (this.#held !== undefined) this.#held = []
    for (const server of this.#known) this.#shutDown(server)
    this.#datagrams.refuse()
    this.#connections.refuse(idle)
  }

  #shutDown(/** @type {Server} */ server) {
    if (!server.listening) return
    // The `close` of http would also close idle connections, on which a request may just arrive.
    net.Server.prototype.close.call(server)
    this.#shut.set(server, false)
  }

  /** The application closes a server that the drain has closed. */
  #whenShut(/** @type {Server} */ server, /** @type {() => void} */ done) {
    const said = this.#shut.get(server)
    this.#shut.delete(server)
    if (said) process.nextTick(done)
    else server.once('close', () => done())
  }

  /** See `Connections`. @param {number} now @param {number} idle */
  closeIdle(now, idle) {
    this.#connections.closeIdle(now, idle)
  }

  /** See `Connections`. @param {number} now @param {number} idle */
  cut(now, idle) {
    return this.#connections.cut(now, idle)
  }
}

/** Where a server listens. @param {Server} server */
function placeOf(server) {
  const address = server.address()
  return typeof address === 'string' ? address : `${address?.address} ${address?.port}`
}

module.exports = { Servers }
