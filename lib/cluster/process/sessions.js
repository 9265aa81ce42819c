'use strict'

// The HTTP/2 sessions of this process, and how a drain ends them without losing a request.
//
// A session ends in two steps (RFC 9113, 6.8): a GOAWAY that refuses nothing yet tells the client to send no
// more; when a round trip later the client has surely heard of it, the second GOAWAY comes, and the session
// ends with its last stream. Whatever was on its way is answered. nghttp2 takes no stream after a GOAWAY of its
// own, so the first one is written beside it. Within TLS that cannot be done: there is only the second.
//
// When a client reads a GOAWAY it gives up what it has not sent yet, and after a second one what is on its
// way, too. So it is sent when the client has nothing in hand. That moment is made: when as many requests have
// arrived as the client is used to have under way, the application is told of no more. A client that waits for
// answers before it asks again runs out of requests, and when some round trips have brought no more, none is on
// its way.

const { later } = require('../../later')
const { writeBeside } = require('./beside')

// 8 bytes of GOAWAY (type 7) for the connection: the last stream is 2^31 - 1, and there is no error.
const WARNING = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])
/** A session that has had nothing to do for so long is ended at once. */
const QUIET = 200
/** By how much of the difference each request changes what a client is used to. */
const LEARNING = 1 / 64
/** Round trips without a new request after which none is on its way: a client may need a turn of its loop to ask. */
const ROUNDS = 3
/** So long requests may be held back, since some clients never stop asking: some milliseconds, or a share of the patience. */
const HOLD = 250
const HOLD_SHARE = 1 / 20

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
  /** @type {'open'|'ending'|'holding'|'warned'|'closed'} */
  #state = 'open'
  /** From 1 to 0 while it is to end. */
  #patience = () => 1
  /** What of that there was at first, in milliseconds. */
  #whole = 0
  /** How the application is told of each request that is held back. @type {(() => void)[]} */
  #held = []
  /** How often a stream has begun or ended. */
  #changes = 0
  #cancels = /** @type {(() => void)[]} */ ([])

  /** @param {Http2Session} session @param {Socket|undefined} socket its own, where it is known */
  constructor(session, socket) {
    this.#session = session
    this.socket = socket
    session.once('close', () => {
      for (const cancel of this.#cancels) cancel()
    })
  }

  /**
   * @param {Stream} stream that begins
   * @param {() => boolean} tell tells the application
   */
  follow(stream, tell) {
    this.streams++
    this.#changes++
    const ended = once(() => {
      this.streams--
      this.#changes++
      this.#lookAgain()
    })
    // An answer that has been sent, or none.
    stream.once('finish', ended)
    stream.once('close', ended)
    this.#usual = Math.max(this.streams, this.#usual - (this.#usual - this.streams) * LEARNING)
    // With time fewer have to do.
    if (this.#state === 'ending' && this.streams > (this.#usual - 0.5) * this.#patience()) this.#hold()
    if (this.#state !== 'holding') return tell()
    this.#held.push(() => stream.destroyed || tell())
    return true
  }

  /** Ends it in its time, at the latest after `patience` milliseconds. @param {number} patience */
  end(patience) {
    if (this.#state !== 'open') return
    const session = this.#session
    const begun = performance.now()
    this.#patience = () => Math.max(0, 1 - (performance.now() - begun) / patience)
    this.#whole = patience
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
      if (this.#state === 'ending' && this.streams === 0) this.#hold()
    })
  }

  /** Tells the application of no more requests until the client has none in hand. */
  #hold() {
    this.#state = 'holding'
    this.#later(Math.max(HOLD, this.#whole * HOLD_SHARE), () => this.#warn())
    this.#ask(0)
  }

  /** @param {number} quiet round trips that have brought nothing */
  #ask(quiet) {
    const seen = this.#changes
    const answered = () => {
      if (this.#state !== 'holding') return
      const rounds = this.#changes === seen ? quiet + 1 : 0
      if (rounds === ROUNDS) this.#warn()
      else this.#ask(rounds)
    }
    if (this.#session.destroyed || !this.#session.ping(answered)) this.#close()
  }

  #warn() {
    if (this.#state !== 'holding') return
    const { socket } = this
    const session = this.#session
    if (session.closed || socket === undefined || session.encrypted) return this.#close()
    if (writeBeside(session, socket, WARNING)) {
      this.#state = 'warned'
      // It comes after the warning: who answers it has read that.
      if (!session.ping(() => this.#close())) this.#close()
    } else {
      // A client that does not read is asked again with its next request.
      this.#state = 'ending'
      this.#lookAgain()
    }
    this.#tellAll()
  }

  #close() {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#session.close()
    this.#tellAll()
  }

  /** One by one, as each may throw. */
  #tellAll() {
    for (const tell of this.#held.splice(0)) process.nextTick(tell)
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

  /** @param {Stream} stream that begins @param {() => boolean} tell tells the application */
  follow(stream, tell) {
    const own = this.#sessions.get(/** @type {Http2Session} */ (stream.session))
    return own === undefined ? tell() : own.follow(stream, tell)
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
