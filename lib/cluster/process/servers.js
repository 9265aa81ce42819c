'use strict'

// Keeps track of the servers of this process and of their connections, so that a drain can end them
// without the application's help. Any server that listens is found: http, https, http2, tls and net
// all listen by the same method.

const net = require('node:net')
const diagnostics = require('node:diagnostics_channel')
const { EventEmitter } = require('node:events')

// A close frame from a server, code 1001 "going away" (RFC 6455, 5.5.1 and 7.4.1).
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9])

/**
 * @typedef {{ idleSince: number, bytes: number, upgraded: boolean }} Connection
 * @typedef {{ server: any, http1: boolean, http2: boolean, sockets: Map<any, Connection>, sessions: Set<any> }} Served
 */

/** Emits 'listening' when a server listens and none is about to, and 'held' when one has to wait with that. */
class Servers extends EventEmitter {
  /** @type {Map<any, Served>} */
  #served = new Map()
  #pending = new Set()
  #refusing = false
  /** What servers that were told to listen will do when they may. @type {(() => void)[]|undefined} */
  #held
  #listen = net.Server.prototype.listen
  #onRequest
  #onResponse
  requests = 0
  errors = 0

  constructor() {
    super()
    const servers = this
    const listen = this.#listen
    net.Server.prototype.listen = function (/** @type {any[]} */ ...args) {
      const start = () => {
        servers.#track(this)
        return Reflect.apply(listen, this, args)
      }
      if (servers.#held === undefined) return start()
      servers.#held.push(start)
      servers.emit('held')
      return this
    }
    this.#onRequest = (/** @type {any} */ { server, response }) => {
      this.requests++
      if (this.#refusing && this.#served.has(server)) response.shouldKeepAlive = false
    }
    this.#onResponse = (/** @type {any} */ { response }) => {
      if (response.statusCode >= 500) this.errors++
    }
    diagnostics.subscribe('http.server.request.start', this.#onRequest)
    diagnostics.subscribe('http.server.response.finish', this.#onResponse)
  }

  /** Leaves the servers alone from now on. */
  release() {
    net.Server.prototype.listen = this.#listen
    diagnostics.unsubscribe('http.server.request.start', this.#onRequest)
    diagnostics.unsubscribe('http.server.response.finish', this.#onResponse)
  }

  /** Servers that are told to listen wait until `go` is called. */
  hold() {
    this.#held = []
  }

  /** What was told to listen does so now. */
  go() {
    const held = this.#held ?? []
    this.#held = undefined
    for (const start of held) start()
  }

  /** How many wait. */
  get held() {
    return this.#held?.length ?? 0
  }

  get listening() {
    let count = 0
    for (const { server } of this.#served.values()) if (server.listening) count++
    return count
  }

  /** Servers that were told to listen and do not yet. */
  get pending() {
    return this.#pending.size
  }

  get connections() {
    let count = 0
    for (const { sockets } of this.#served.values()) count += sockets.size
    return count
  }

  /** Requests that were begun and are not answered in full. */
  get inFlight() {
    let count = 0
    for (const { sockets, sessions } of this.#served.values()) {
      for (const socket of sockets.keys()) if (socket._httpMessage) count++
      for (const session of sessions) count += session.state?.numOpenStreams ?? 0
    }
    return count
  }

  #track(/** @type {any} */ server) {
    this.#pending.add(server)
    if (this.#served.has(server)) return
    /** @type {Served} */
    const served = {
      server,
      http1: typeof server.closeIdleConnections === 'function',
      http2: typeof server.updateSettings === 'function',
      sockets: new Map(),
      sessions: new Set()
    }
    this.#served.set(server, served)
    const settle = () => {
      this.#pending.delete(server)
      if (this.#refusing) stopAccepting(server)
      if (this.#pending.size === 0 && this.listening > 0) this.emit('listening')
    }
    server.on('listening', settle)
    // Only watched: without a listener of the application's an error must stay uncaught.
    server.on(EventEmitter.errorMonitor, settle)
    server.on('close', () => {
      this.#pending.delete(server)
      this.emit('change')
    })
    server.on('connection', (/** @type {any} */ socket) => this.#addSocket(served, socket))
    server.on('secureConnection', (/** @type {any} */ socket) => {
      served.sockets.delete(socket._parent)
      this.#addSocket(served, socket)
    })
    server.on('session', (/** @type {any} */ session) => {
      served.sessions.add(session)
      session.on('close', () => served.sessions.delete(session))
      if (this.#refusing) session.close()
    })
    if (served.http2)
      server.on('stream', () => {
        this.requests++
      })
    if (served.http1) this.#watchUpgrades(served)
  }

  #addSocket(/** @type {Served} */ served, /** @type {any} */ socket) {
    served.sockets.set(socket, { idleSince: 0, bytes: -1, upgraded: false })
    socket.on('close', () => {
      served.sockets.delete(socket)
      if (this.#refusing) this.emit('change')
    })
  }

  /** A listener of ours alone would make the server accept upgrades: it comes with the application's. */
  #watchUpgrades(/** @type {Served} */ { server, sockets }) {
    const note = (/** @type {any} */ request, /** @type {any} */ socket) => {
      const connection = sockets.get(socket)
      if (connection && /^websocket$/i.test(request.headers.upgrade ?? '')) connection.upgraded = true
    }
    const watch = () => {
      server.off('newListener', onNew)
      server.prependListener('upgrade', note)
    }
    const onNew = (/** @type {string} */ name) => {
      if (name === 'upgrade') watch()
    }
    if (server.listenerCount('upgrade') > 0) watch()
    else server.on('newListener', onNew)
  }

  /** From now on nothing is accepted, and whatever is answered ends its connection. */
  refuse() {
    this.#refusing = true
    if (this.#held !== undefined) this.#held = []
    for (const { server, http1, sockets, sessions } of this.#served.values()) {
      stopAccepting(server)
      for (const session of sessions) session.close()
      if (!http1) continue
      for (const [socket, { upgraded }] of sockets) {
        const response = socket._httpMessage
        if (response && !response.headersSent) response.shouldKeepAlive = false
        if (upgraded && socket.writable) socket.write(GOING_AWAY)
      }
    }
  }

  /**
   * Closes the connections that have been idle for `idle` milliseconds, or for their server's own
   * keep-alive time: a client that is about to use one had its time to do so and to hear "close".
   * @param {number} now
   * @param {number} idle
   */
  closeIdle(now, idle) {
    for (const { server, http1, sockets } of this.#served.values()) {
      if (!http1) continue
      const limit = Math.min(idle, server.keepAliveTimeout || idle)
      for (const [socket, connection] of sockets) {
        if (connection.upgraded || socket.alpnProtocol === 'h2') continue
        const bytes = socket.bytesRead
        if (socket._httpMessage || bytes !== connection.bytes) {
          connection.bytes = bytes
          connection.idleSince = now
        } else if (now - connection.idleSince >= limit) {
          socket.destroy()
        }
      }
    }
  }

  /** Ends what is left; gives how many connections that were. */
  cut() {
    let count = 0
    for (const { sockets, sessions } of this.#served.values()) {
      for (const session of sessions) session.destroy()
      for (const socket of sockets.keys()) {
        count++
        socket.destroy()
      }
    }
    return count
  }
}

function stopAccepting(/** @type {any} */ server) {
  // The method of http would also close its idle connections, in the face of the next request.
  if (server.listening) net.Server.prototype.close.call(server)
}

module.exports = { Servers }
