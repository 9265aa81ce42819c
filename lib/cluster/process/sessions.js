'use strict'

// The HTTP/2 sessions of this process, and how a drain ends them without losing a request.
//
// A session ends in two steps (RFC 9113, 6.8). A first GOAWAY, which refuses nothing yet, tells the client to send no
// more. A round trip later the client has certainly read it. Then the second GOAWAY comes, and the session ends with
// its last stream. All requests that were on their way are answered. nghttp2 accepts no stream after its own GOAWAY, so
// the first one is written beside nghttp2. Within TLS this is impossible: there is only the second one.
//
// A client that reads a GOAWAY gives up requests that it has not sent yet, and after a second one also those on their
// way. So the GOAWAY is sent when the client has no request in hand. This code creates such a moment: when as many
// requests have arrived as the client usually has under way, it holds back further requests from the application. A
// client that waits for answers before it asks again then runs out of requests. When some round trips have brought no
// more, none is on its way.

const { later } = require('../../later')
const { writeBeside } = require('./beside')

// 8 bytes of GOAWAY (type 7) for the connection: the last stream is 2^31 - 1, and there is no error.
const WARNING = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])
/** A session that has been idle for so many milliseconds is ended at once. */
const QUIET = 200
/** The share of the difference by which each request changes the usual number of a client. */
const LEARNING = 1 / 64
/** After so many round trips without a new request none is on its way: a client may need a turn of its loop to ask. */
const ROUNDS = 3
/**
 * How long requests may be held back, since some clients never stop asking: some milliseconds, or a share of the
 * patience.
 */
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
  /** The streams that have begun and not ended. */
  streams = 0
  /** How many streams the client usually has under way. */
  #usual = 0
  #session
  /** @type {'open'|'ending'|'holding'|'warned'|'closed'} */
  #state = 'open'
  /** The rest of the patience, from 1 to 0 while the session is ending. */
  #patience = () => 1
  /** The whole patience, in milliseconds. */
  #whole = 0
  /** The functions that tell the application of the requests that are held back. @type {(() => void)[]} */
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
    // The stream ends when its answer has been sent, or when it closes without one.
    stream.once('finish', ended)
    stream.once('close', ended)
    this.#usual = Math.max(this.streams, this.#usual - (this.#usual - this.streams) * LEARNING)
    // With time fewer streams are enough.
    if (this.#state === 'ending' && this.streams > (this.#usual - 0.5) * this.#patience()) this.#hold()
    if (this.#state !== 'holding') return tell()
    this.#held.push(() => stream.destroyed || tell())
    return true
  }

  /** Ends the session at a good moment, at the latest after `patience` milliseconds. @param {number} patience */
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
    // The server's settings must be the first frame.
    if (session.pendingSettingsAck) session.once('localSettings', begin)
    else begin()
  }

  #lookAgain() {
    if (this.#state !== 'ending' || this.streams > 0) return
    this.#later(QUIET, () => {
      if (this.#state === 'ending' && this.streams === 0) this.#hold()
    })
  }

  /** Holds back requests from the application until the client has none in hand. */
  #hold() {
    this.#state = 'holding'
    this.#later(Math.max(HOLD, this.#whole * HOLD_SHARE), () => this.#warn())
    this.#ask(0)
  }

  /** @param {number} quiet round trips that have brought no request */
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
      // The ping comes after the warning: a client that answers it has read the warning.
      if (!session.ping(() => this.#close())) this.#close()
    } else {
      // The client does not read: it is asked again at its next request.
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

  /** One by one, since each may throw. */
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
  /** In a drain: how long a client has to read the GOAWAY. @type {number|undefined} */
  #patience

  /** Whether streams of the session still run. @param {Socket} socket */
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

  /** Ends all sessions, future ones as well. @param {number} patience */
  refuse(patience) {
    this.#patience = patience
    for (const session of this.#sessions.values()) session.end(patience)
  }

  cut() {
    for (const session of this.#sessions.keys()) session.destroy()
  }
}

module.exports = { Sessions }
