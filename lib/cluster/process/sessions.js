'use strict'

// The HTTP/2 sessions of this process, and how a drain ends them without losing a request.
//
// A session ends in two steps (RFC 9113, 6.8): a GOAWAY that refuses nothing yet tells the client to send no
// more; when a round trip later the client has surely heard of it, the second GOAWAY comes, and the session
// ends with its last stream. Whatever was on its way is answered. nghttp2 takes no stream after a GOAWAY of its
// own, so the first one is written beside it. Within TLS that cannot be done: there is only the second.
//
// When a client reads a GOAWAY it gives up what it has not sent yet, and after a second one what is on its
// way, too. So the first step is taken when as many requests have arrived as the client is used to
// have under way: then it has nothing in hand.

const { later } = require('../../later')
const { writeBeside } = require('./beside')

// 8 bytes of GOAWAY (type 7) for the connection: the last stream is 2^31 - 1, and there is no error.
const WARNING = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])
/** A session that has had nothing to do for so long is ended at once. */
const QUIET = 200
/** By how much of the difference each request changes what a client is used to. */
const LEARNING = 1 / 64

/**
 * @typedef {import('node:http2').ServerHttp2Session} Http2Session
 * @typedef {import('node:http2').ServerHttp2Stream} Stream
 * @typedef {import('node:net').Socket} Socket
 */

/** @param {() => void} then */
function once(then) {
  let done = false
  return () => {
    if (done) return
    done = true
    then()
  }
}

class Session {
  /** Begun and not ended. */
  streams = 0
  /** How many the client is used to have under way. */
  #usual = 0
  #session
  /** @type {'open'|'ending'|'warned'|'closed'} */
  #state = 'open'
  /** From 1 to 0 while it is to end. */
  #patience = () => 1
  #cancels = /** @type {(() => void)[]} */ ([])

  /** @param {Http2Session} session @param {Socket|undefined} socket its own, where it is known */
  constructor(session, socket) {
    this.#session = session
    this.socket = socket
    session.once('close', () => {
      for (const cancel of this.#cancels) cancel()
    })
  }

  /** @param {Stream} stream that begins */
  follow(stream) {
    this.streams++
    const ended = once(() => {
      this.streams--
      this.#lookAgain()
    })
    // An answer that has been sent, or none.
    stream.once('finish', ended)
    stream.once('close', ended)
    this.#usual = Math.max(this.streams, this.#usual - (this.#usual - this.streams) * LEARNING)
    // With time fewer have to do.
    if (this.#state === 'ending' && this.streams > (this.#usual - 0.5) * this.#patience()) this.#warn()
  }

  /** Ends it in its time, at the latest after `patience` milliseconds. @param {number} patience */
  end(patience) {
    if (this.#state !== 'open') return
    const session = this.#session
    const begun = performance.now()
    this.#patience = () => Math.max(0, 1 - (performance.now() - begun) / patience)
    this.#later(patience, () => this.#close())
    const begin = () => {
      this.#state = 'ending'
      this.#lookAgain()
    }
    // The server's settings have to be the first frame.
    if (session.pendingSettingsAck) session.once('localSettings', begin)
    else begin()
  }

  #lookAgain() {
    if (this.#state !== 'ending' || this.streams > 0) return
    this.#later(QUIET, () => {
      if (this.#state === 'ending' && this.streams === 0) this.#warn()
    })
  }

  #warn() {
    const { socket } = this
    const session = this.#session
    if (session.closed || socket === undefined || session.encrypted) return this.#close()
    // A client that does not read is asked again with its next request.
    if (!writeBeside(session, socket, WARNING)) return this.#lookAgain()
    this.#state = 'warned'
    // It comes after the warning: who answers it has read that.
    if (!session.ping(() => this.#close())) this.#close()
  }

  #close() {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#session.close()
  }

  #later(/** @type {number} */ ms, /** @type {() => void} */ then) {
    this.#cancels.push(later(ms, then, { ref: false }))
  }
}

class Sessions {
  /** @type {Map<Http2Session, Session>} */
  #sessions = new Map()
  /** In a drain: how long a client has to hear of it. @type {number|undefined} */
  #patience

  /** Do its streams still run? @param {Socket} socket */
  isBusy(socket) {
    for (const session of this.#sessions.values()) if (session.socket === socket) return session.streams > 0
    return false
  }

  /** @param {Http2Session} session @param {Socket|undefined} socket */
  add(session, socket) {
    const own = new Session(session, socket)
    this.#sessions.set(session, own)
    session.on('close', () => this.#sessions.delete(session))
    if (this.#patience !== undefined) own.end(this.#patience)
  }

  /** @param {Stream} stream that begins */
  follow(stream) {
    this.#sessions.get(/** @type {Http2Session} */ (stream.session))?.follow(stream)
  }

  /** Ends all, those to come as well. @param {number} patience */
  refuse(patience) {
    this.#patience = patience
    for (const session of this.#sessions.values()) session.end(patience)
  }

  cut() {
    for (const session of this.#sessions.keys()) session.destroy()
  }
}

module.exports = { Sessions }
