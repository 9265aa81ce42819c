'use strict'

// The connections of this process and what goes on at each: answers, a tunnel, HTTP/2, or bytes of which
// nothing is known.

const tls = require('node:tls')
const { closeAfter } = require('./answers')
const { Sessions } = require('./sessions')
const { isWebSocket, onceSwitched, sayGoodbye } = require('./websocket')

/**
 * @typedef {import('node:net').Socket} Socket
 * @typedef {import('node:net').Server & { keepAliveTimeout?: number, closeIdleConnections?: unknown, updateSettings?: unknown }} Server
 * @typedef {import('node:http').IncomingMessage} IncomingMessage
 * @typedef {import('node:http').ServerResponse} ServerResponse
 * What the diagnostics channels of http tell.
 * @typedef {{ request: IncomingMessage, response: ServerResponse, socket: Socket, server: Server }} Told
 * @typedef {object} Connection
 * @property {Server} server
 * @property {'bytes'|'http'|'http2'|'tunnel'|'websocket'} kind
 * @property {ServerResponse[]} answers begun and not finished, in their order
 * @property {boolean} closing an answer has said "close"
 * @property {boolean} switched a WebSocket, whose 101 was written
 * @property {number} bytes that came and went
 * @property {number} flowedAt when any last did, as far as a drain has looked
 * @property {number} busyAt when something was last to be answered, likewise
 */

class Connections {
  /** @type {Map<Socket, Connection>} */
  #open = new Map()
  #sessions = new Sessions()
  #requests
  #gone
  #refusing = false
  /** Where processes keep sessions, what knows of it. @type {Pick<import('../sticky/router').Router, 'ends' | 'isRelayed'>|undefined} */
  #router
  /** Whose connection is being told to its server now. @type {Socket|undefined} */
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
   * A server is told of a connection, maybe by its application, and maybe of one that another has already.
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

  /** May the application still have requests of this connection? @param {Socket} socket */
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
      // What the application says in this turn comes first.
      if (this.#refusing) setImmediate(sayGoodbye, socket)
    })
  }

  /** @param {Pick<import('../sticky/router').Router, 'ends' | 'isRelayed'>} router */
  route(router) {
    this.#router = router
  }

  /** What flows at a connection is not this process's own. @param {Socket} socket */
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

  /** From now on every answer ends its connection. @param {number} patience with clients of HTTP/2 */
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
   * Closes what has been idle for `idle` milliseconds, or for its server's own keep-alive time: a client that
   * is about to use a connection had its time to do so and to hear "close". A tunnel is idle when no byte
   * flows in it.
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
      // The relaying process closes connections that nobody uses.
      if (kind === 'http' && this.#router?.isRelayed(socket)) continue
      if (kind === 'http') {
        const limit = Math.min(idle, server.keepAliveTimeout || idle)
        // A client that sends a request byte by byte has the time twice.
        const quiet = now - Math.max(connection.busyAt, Math.min(connection.flowedAt, connection.busyAt + limit))
        if (quiet >= limit) socket.destroy()
      } else if ((kind === 'tunnel' || kind === 'websocket') && now - connection.flowedAt >= idle) {
        socket.destroy()
      }
    }
  }

  /**
   * Ends what is left; gives how many connections were at work.
   * @param {number} now
   * @param {number} idle of what nothing is known but that no byte has flowed for so long, nothing is cut
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
    // TLS over a connection that is known is the same connection.
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
  // Over TLS it may serve HTTP/1.1, too; and until TLS is there it serves nothing.
  return protocol === 'h2' || !(server instanceof tls.Server) ? 'http2' : 'http'
}

/** @param {Socket} socket */
function flown({ bytesRead = 0, bytesWritten = 0 }) {
  return bytesRead + bytesWritten
}

module.exports = { Connections }
