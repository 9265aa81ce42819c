'use strict'

// The connections of this process and the protocol of each: HTTP answers, a tunnel, HTTP/2, or unknown bytes.

const tls = require('node:tls')
const { closeAfter } = require('./answers')
const { Sessions } = require('./sessions')
const { isWebSocket, onceSwitched, sayGoodbye } = require('./websocket')

/**
 * @typedef {import('node:net').Socket} Socket
 * @typedef {import('node:net').Server & { keepAliveTimeout?: number, closeIdleConnections?: unknown, updateSettings?: unknown }} Server
 * @typedef {import('node:http').IncomingMessage} IncomingMessage
 * @typedef {import('node:http').ServerResponse} ServerResponse
 * The messages of the diagnostics channels of http.
 * @typedef {{ request: IncomingMessage, response: ServerResponse, socket: Socket, server: Server }} Told
 * @typedef {object} Connection
 * @property {Server} server
 * @property {'bytes'|'http'|'http2'|'tunnel'|'websocket'} kind
 * @property {ServerResponse[]} answers begun and not finished, in their order
 * @property {boolean} closing an answer has said "close"
 * @property {boolean} switched a WebSocket, whose 101 was written
 * @property {number} bytes that came and went
 * @property {number} flowedAt when bytes last flowed, as far as a drain has seen
 * @property {number} busyAt when an answer was last pending, as far as a drain has seen
 */

class Connections {
  /** @type {Map<Socket, Connection>} */
  #open = new Map()
  #sessions = new Sessions()
  #requests
  #gone
  #refusing = false
  /** The router, if processes keep sessions. @type {Pick<import('../sticky/router').Router, 'ends' | 'isRelayed'>|undefined} */
  #router
  /** The connection that its server is being told of now. @type {Socket|undefined} */
  #arriving

  /**
   * @param {import('./requests').Requests} requests
   * @param {() => void} gone called when a connection has ended
   */
  constructor(requests, gone) {
    this.#requests = requests
    this.#gone = gone
  }

  get size() {
    return this.#open.size
  }

  /**
   * A server is told of a connection. The application may do so itself, and another server may have the connection
   * already.
   * @param {Server} server
   * @param {Socket & { _parent?: Socket }} socket
   * @param {() => boolean} tell
   */
  arrive(server, socket, tell) {
    this.#add(server, socket)
    const before = this.#arriving
    this.#arriving = socket
    try {
      return tell()
    } finally {
      this.#arriving = before
    }
  }

  /** @param {Told} told */
  begin({ request, response, socket, server }) {
    const connection = this.#open.get(socket) ?? this.#add(server, socket)
    connection.kind = 'http'
    connection.answers.push(response)
    this.#requests.begin(response, request.method ?? '', request.url ?? '')
    if (this.#refusing) closeAfter(connection, response)
  }

  /** @param {Told} told */
  finish({ response, socket }) {
    this.#requests.end(response, response.statusCode)
    const answers = this.#open.get(socket)?.answers
    if (answers === undefined) return
    if (answers[0] === response) answers.shift()
    else if (answers.includes(response)) answers.splice(answers.indexOf(response), 1)
  }

  /** Whether an answer has begun, and not ended. @param {Socket} socket */
  answers(socket) {
    return (this.#open.get(socket)?.answers.length ?? 0) > 0
  }

  /** Whether the application may still get requests of this connection. @param {Socket} socket */
  takes(socket) {
    return this.#open.get(socket)?.closing !== true
  }

  /** An upgrade, or a CONNECT. @param {IncomingMessage} request @param {Socket} socket */
  leaveHttp(request, socket) {
    const connection = this.#open.get(socket)
    if (connection === undefined) return
    connection.kind = isWebSocket(request) ? 'websocket' : 'tunnel'
    if (connection.kind === 'tunnel' || this.#router?.ends(request)) return
    onceSwitched(socket, () => {
      connection.switched = true
      // Data that the application writes in this turn goes first.
      if (this.#refusing) setImmediate(sayGoodbye, socket)
    })
  }

  /** @param {Pick<import('../sticky/router').Router, 'ends' | 'isRelayed'>} router */
  route(router) {
    this.#router = router
  }

  /** The data of a connection belongs to another process. @param {Socket} socket */
  leaveAlone(socket) {
    const connection = this.#open.get(socket)
    if (connection !== undefined) connection.kind = 'tunnel'
  }

  /** @param {import('node:http2').ServerHttp2Session} session */
  addSession(session) {
    const connection = this.#arriving && this.#open.get(this.#arriving)
    if (connection !== undefined) connection.kind = 'http2'
    this.#sessions.add(session, this.#arriving)
  }

  /**
   * @param {import('node:http2').ServerHttp2Stream} stream
   * @param {import('node:http2').IncomingHttpHeaders} headers
   * @param {() => boolean} tell tells the application
   */
  beginStream(stream, headers, tell) {
    this.#requests.begin(stream, String(headers[':method']), String(headers[':path'] ?? headers[':authority']))
    stream.once('close', () => this.#requests.end(stream, Number(stream.sentHeaders?.[':status'])))
    return this.#sessions.follow(stream, tell)
  }

  /** From now on every answer ends its connection. @param {number} patience milliseconds for clients of HTTP/2 */
  refuse(patience) {
    this.#refusing = true
    const now = performance.now()
    for (const [socket, connection] of this.#open) {
      connection.flowedAt = connection.busyAt = now
      connection.bytes = flown(socket)
      for (const response of connection.answers) if (!response.headersSent) closeAfter(connection, response)
      if (connection.switched) sayGoodbye(socket)
    }
    this.#sessions.refuse(patience)
  }

  /**
   * Closes connections that have been idle for `idle` milliseconds, or for the keep-alive time of their server. By then
   * a client that was about to use a connection has done so, and got "close". A tunnel is idle if no byte flows in it.
   * @param {number} now
   * @param {number} idle
   */
  closeIdle(now, idle) {
    for (const [socket, connection] of this.#open) {
      const { server, kind, answers } = connection
      const bytes = flown(socket)
      if (bytes !== connection.bytes) connection.flowedAt = now
      if (answers.length > 0) connection.busyAt = now
      connection.bytes = bytes
      // The relaying process closes its own idle connections.
      if (kind === 'http' && this.#router?.isRelayed(socket)) continue
      if (kind === 'http') {
        const limit = Math.min(idle, server.keepAliveTimeout || idle)
        // A client that sends a request byte by byte gets the time twice.
        const quiet = now - Math.max(connection.busyAt, Math.min(connection.flowedAt, connection.busyAt + limit))
        if (quiet >= limit) socket.destroy()
      } else if ((kind === 'tunnel' || kind === 'websocket') && now - connection.flowedAt >= idle) {
        socket.destroy()
      }
    }
  }

  /**
   * Ends all connections. Gives how many were busy.
   * @param {number} now
   * @param {number} idle an unknown connection without a byte for so long does not count as busy
   */
  cut(now, idle) {
    let count = 0
    const open = [...this.#open]
    const busy = open.map(([socket, connection]) => this.#isBusy(socket, connection, now, idle))
    this.#sessions.cut()
    for (const [at, [socket]] of open.entries()) {
      if (busy[at]) count++
      socket.destroy()
    }
    return count
  }

  #isBusy(
    /** @type {Socket} */ socket,
    /** @type {Connection} */ { kind, answers, flowedAt },
    /** @type {number} */ now,
    /** @type {number} */ idle
  ) {
    if (kind === 'http') return answers.length > 0
    if (kind === 'http2') return this.#sessions.isBusy(socket)
    return now - flowedAt < idle
  }

  #add(
    /** @type {Server} */ server,
    /** @type {Socket & { _parent?: Socket, alpnProtocol?: string|false|null }} */ socket
  ) {
    // TLS over a known connection is the same connection.
    if (socket._parent) this.#open.delete(socket._parent)
    const kind = kindOf(server, socket.alpnProtocol)
    const known = this.#open.get(socket)
    if (known !== undefined) return Object.assign(known, { server, kind })
    const now = performance.now()
    /** @type {Connection} */
    const connection = {
      server,
      kind,
      answers: [],
      closing: false,
      switched: false,
      bytes: flown(socket),
      flowedAt: now,
      busyAt: now
    }
    this.#open.set(socket, connection)
    socket.on('close', () => {
      this.#open.delete(socket)
      for (const response of connection.answers) this.#requests.end(response)
      this.#gone()
    })
    return connection
  }
}

/** @param {Server} server @param {string|false|null} [protocol] that TLS has agreed on */
function kindOf(server, protocol) {
  if (typeof server.closeIdleConnections === 'function') return 'http'
  if (typeof server.updateSettings !== 'function') return 'bytes'
  // Over TLS it may serve HTTP/1.1, too. Before TLS is established, it serves nothing.
  return protocol === 'h2' || !(server instanceof tls.Server) ? 'http2' : 'http'
}

/** @param {Socket} socket */
function flown({ bytesRead = 0, bytesWritten = 0 }) {
  return bytesRead + bytesWritten
}

module.exports = { Connections, kindOf }
