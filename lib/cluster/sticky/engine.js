'use strict'

// The sessions of an engine.io server, below socket.io. In a drain each is told to end, as engine.io does it: its
// client connects anew, and comes to another process. They are told one after another, so that the others are not
// met by all clients at once.

const { pause } = require('../../later')

/** The share of the grace within which all are told. */
const TELL_WITHIN = 0.5
/** A client that is not there any more is not waited for when this share of it is over. */
const WAIT_FOR = 0.9

/**
 * @typedef {{ name: string, writable: boolean, req?: { socket?: object }|null, send: (packets: { type: string }[]) => void }} Transport
 * @typedef {import('node:events').EventEmitter & { transport: Transport, close: () => unknown }} Session
 * @typedef {import('node:events').EventEmitter & { clients: Record<string, Session>, clientsCount: number, generateId: (request: import('node:http').IncomingMessage) => unknown }} Engine
 */

/** @param {unknown} value @returns {value is Engine} */
function isEngine(value) {
  return value !== null && typeof value === 'object' && 'clients' in value && 'clientsCount' in value && 'on' in value
}

class EngineSessions {
  #engine

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine
  }

  /**
   * Answers the long polls that wait at some sockets, with nothing: their clients ask again.
   * @param {(socket: object) => boolean} test
   */
  answerPolls(test) {
    for (const { transport } of Object.values(this.#engine.clients)) {
      const socket = transport.req?.socket
      if (transport.name === 'polling' && transport.writable && socket && test(socket))
        transport.send([{ type: 'noop' }])
    }
  }

  /** Resolves when there are none any more, or nearly all of the grace is over. @param {number} grace in milliseconds */
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
      // One that comes on a connection that is still open.
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

module.exports = { EngineSessions, isEngine }
