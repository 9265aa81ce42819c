'use strict'

// The sessions of an engine.io server, below socket.io. A drain ends each session as engine.io does, so its client
// connects anew and comes to another process. The sessions end one after another, so that not all clients come to the
// other processes at once.

const { pause } = require('../../later')

/** The share of the grace within which all sessions are ended. */
const TELL_WITHIN = 0.5
/** When this share of the grace is over, clients that may have gone are not waited for. */
const WAIT_FOR = 0.9

/**
 * @typedef {{ name: string, writable: boolean, req?: { socket?: object }|null, send: (packets: { type: string }[]) => void }} Transport
 * @typedef {import('node:events').EventEmitter & { transport: Transport, close: () => unknown }} Session
 * @typedef {import('node:http').IncomingMessage} IncomingMessage
 * @typedef {(request: IncomingMessage, response: import('node:http').ServerResponse, next: () => void) => void} Middleware
 * @typedef {import('node:events').EventEmitter & { clients: Record<string, Session>, clientsCount: number, generateId: (request: IncomingMessage) => unknown, use?: (middleware: Middleware) => void }} Engine
 */

/** @param {unknown} value @returns {value is Engine} */
function isEngine(value) {
  return value !== null && typeof value === 'object' && 'clients' in value && 'clientsCount' in value && 'on' in value
}

class EngineSessions {
  #engine

  /**
   * @param {Engine} engine
   * @param {(request: IncomingMessage) => string|undefined} idOf gives the id in a request, if this cluster has made it
   */
  constructor(engine, idOf) {
    this.#engine = engine
    engine.use?.((request, response, next) => {
      const id = idOf(request)
      if (id === undefined || Object.hasOwn(engine.clients, id)) next()
      else tellEnd(request, response, next)
    })
  }

  /**
   * Answers the long polls that wait at some sockets with an empty message, so their clients ask again.
   * @param {(socket: object) => boolean} test
   */
  answerPolls(test) {
    for (const { transport } of Object.values(this.#engine.clients)) {
      const socket = transport.req?.socket
      if (transport.name === 'polling' && transport.writable && socket && test(socket))
        transport.send([{ type: 'noop' }])
    }
  }

  /**
   * Ends the sessions. Resolves when there are none any more, or nearly all of the grace is over.
   * @param {number} grace in milliseconds
   */
  async end(grace) {
    const engine = this.#engine
    const end = performance.now() + grace * TELL_WITHIN
    const over = pause(grace * WAIT_FOR)
    const none = new Promise((resolve) => {
      const look = () => {
        if (engine.clientsCount === 0) resolve(undefined)
      }
      const follow = (/** @type {Session} */ session) => session.once('close', () => setImmediate(look))
      Object.values(engine.clients).forEach(follow)
      // A session may still begin on a connection that is open.
      engine.on('connection', (session) => {
        follow(session)
        pause(Math.random() * Math.max(0, end - performance.now()), { ref: false }).done.then(() => session.close())
      })
      look()
    })
    const sessions = Object.values(engine.clients)
    for (const [at, session] of sessions.entries()) {
      const left = end - performance.now()
      const wait = pause(Math.max(0, left / (sessions.length - at)), { ref: false })
      await Promise.race([wait.done, none])
      wait.stop()
      session.close()
    }
    await Promise.race([none, over.done])
    over.stop()
  }
}

/**
 * Answers a request whose session has ended while it was on its way, or whose process has gone. That is no error: the
 * client gets engine.io's close message, and connects anew.
 * @param {import('./relay').Request} request
 * @param {import('./relay').Response} response
 * @param {() => void} next
 */
function tellEnd(request, response, next) {
  const { method, url = '', headers, socket } = request
  if (headers.upgrade !== undefined) return void socket.end('HTTP/1.1 410 Gone\r\nConnection: close\r\n\r\n')
  // The engine answers JSONP clients itself.
  if (/[?&]j=/.test(url)) return next()
  const close = /[?&]EIO=3/.test(url) ? '1:1' : '1'
  request.resume()
  response.setHeader('cache-control', 'no-store')
  response.setHeader('content-type', 'text/plain; charset=UTF-8')
  response.end(method === 'POST' ? 'ok' : close)
}

module.exports = { EngineSessions, isEngine, tellEnd }
