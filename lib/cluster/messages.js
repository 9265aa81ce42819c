'use strict'

// Messages between the primary and one process: plain messages, and requests that are answered. Each end of a channel
// has a mailbox.

const { RspoolError, invalidArgument } = require('../errors')
const { cloneByEngine } = require('../native/primordials')
const { readOptions, duration, show } = require('../pool/options/validate')
const { describe, revive } = require('../payload/thrown')
const { later } = require('../later')

/** If more messages than this are on their way to a process, the process does not read. */
const MAX_UNSENT = 10_000
const REQUEST_TIMEOUT = 10_000

class Mailbox {
  #send
  #unsent = 0
  #nextId = 1
  /** @type {Map<number, { resolve: (value: unknown) => void, reject: (error: unknown) => void, cancel: () => void }>} */
  #waiting = new Map()
  /** @type {Set<(message: unknown, info: object) => unknown>} */
  #listeners = new Set()
  /** @type {((message: unknown, info: object) => unknown)|undefined} */
  #answer
  /** Requests of the other end that are being answered. */
  #answering = 0
  /** The callers that wait until no request is being answered. @type {(() => void)[]} */
  #answered = []
  #info
  #queue

  /**
   * @param {(message: object, done: (error: Error|null) => void) => void} send
   * @param {object} [info] the sender, as listeners see it
   * @param {{ bytes: () => number, max: number }} [queue] the bytes that wait to be written, and how many may wait
   */
  constructor(send, info = {}, queue = { bytes: () => 0, max: Infinity }) {
    this.#send = send
    this.#info = info
    this.#queue = queue
  }

  /** Sends a message. Resolves when the channel has taken it. @param {unknown} body */
  send(body) {
    const sent = this.#post({ kind: 'plain', body })
    // A caller that does not await this does not care whether the other side is gone.
    sent.catch(() => {})
    return sent
  }

  /**
   * @param {unknown} body
   * @param {unknown} [options]
   */
  async request(body, options) {
    const { timeout = REQUEST_TIMEOUT } = readOptions(options, { timeout: duration }, 'request options')
    const id = this.#nextId++
    const answer = new Promise((resolve, reject) => {
      const cancel = later(timeout, () =>
        this.#settle(id)?.reject(new RspoolError('ERR_RSPOOL_REQUEST_TIMEOUT', `no answer within ${timeout} ms`))
      )
      this.#waiting.set(id, { resolve, reject, cancel })
    })
    this.#post({ kind: 'request', id, body }).catch((error) => this.#settle(id)?.reject(error))
    return answer
  }

  /** @param {(message: unknown, info: object) => unknown} listener */
  onMessage(listener) {
    if (typeof listener !== 'function') throw invalidArgument(`onMessage: expected a function, got ${show(listener)}`)
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Sets the function whose result answers requests. @param {(message: unknown, info: object) => unknown} answer */
  onRequest(answer) {
    if (typeof answer !== 'function') throw invalidArgument(`onRequest: expected a function, got ${show(answer)}`)
    this.#answer = answer
  }

  /**
   * @param {{ kind?: unknown, id?: unknown, body?: unknown, error?: unknown }} message from the other end, which may send
   *   anything
   */
  receive(message) {
    const { kind, body } = message
    const id = Number(message.id)
    if (kind === 'plain') {
      for (const listener of this.#listeners) listener(body, this.#info)
    } else if (kind === 'request') {
      this.#respond(id, body)
    } else if (kind === 'answer') {
      this.#settle(id)?.resolve(body)
    } else if (kind === 'refusal') {
      this.#settle(id)?.reject(revive(/** @type {import('../payload/thrown').Description} */ (message.error ?? {})))
    }
  }

  /** Resolves when no request of the other end is being answered. @returns {Promise<void>} */
  whenAnswered() {
    return new Promise((resolve) => (this.#answering === 0 ? resolve() : void this.#answered.push(resolve)))
  }

  /** The other end is gone: no request will be answered. */
  close() {
    for (const id of this.#waiting.keys()) {
      this.#settle(id)?.reject(new RspoolError('ERR_RSPOOL_PROCESS_EXIT', 'the process ended before it answered'))
    }
  }

  /** The part that users get. */
  api() {
    return {
      send: this.send.bind(this),
      request: this.request.bind(this),
      onMessage: this.onMessage.bind(this),
      onRequest: this.onRequest.bind(this)
    }
  }

  async #respond(/** @type {number} */ id, /** @type {unknown} */ body) {
    this.#answering++
    try {
      if (this.#answer === undefined)
        throw new RspoolError('ERR_RSPOOL_NO_HANDLER', 'the other side has no onRequest() function')
      const value = await this.#answer(body, this.#info)
      await this.#post({ kind: 'answer', id, body: value })
    } catch (error) {
      await this.#refuse(id, error)
    } finally {
      if (--this.#answering === 0) for (const resolve of this.#answered.splice(0)) resolve()
    }
  }

  async #refuse(/** @type {number} */ id, /** @type {unknown} */ thrown) {
    const { properties, cause, errors, ...error } = describe(thrown)
    try {
      await this.#post({ kind: 'refusal', id, error: { ...error, properties, cause, errors } })
    } catch {
      // The error may hold values that the channel cannot carry. If the channel is gone, nobody waits for the answer.
      const code = properties?.code
      const bare = { ...error, hasCause: false, properties: typeof code === 'string' ? { code } : {} }
      await this.#post({ kind: 'refusal', id, error: bare }).catch(() => {})
    }
  }

  /** @param {{ kind: string, id?: number, body?: unknown, error?: unknown }} message @returns {Promise<void>} */
  #post(message) {
    const { bytes, max } = this.#queue
    const waiting =
      this.#unsent >= MAX_UNSENT ? `${MAX_UNSENT} messages` : bytes() > max ? `more than ${max} bytes` : undefined
    if (waiting !== undefined) {
      return Promise.reject(
        new RspoolError('ERR_RSPOOL_CHANNEL_FULL', `${waiting} wait for a process that does not read them`)
      )
    }
    this.#unsent++
    return new Promise((resolve, reject) => {
      const done = (/** @type {Error|null} */ error) => {
        this.#unsent--
        if (error)
          reject(new RspoolError('ERR_RSPOOL_PROCESS_EXIT', 'the message could not be delivered', { cause: error }))
        else resolve()
      }
      try {
        this.#send(message, done)
      } catch (error) {
        this.#unsent--
        reject(cloneErrorOf(message.body) ?? error)
      }
    })
  }

  #settle(/** @type {number} */ id) {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return undefined
    this.#waiting.delete(id)
    waiting.cancel()
    return waiting
  }
}

/**
 * The error of structuredClone for a value that it refuses. The channel's own error has neither its class nor its code.
 * @param {unknown} body
 */
function cloneErrorOf(body) {
  try {
    cloneByEngine(body)
    return undefined
  } catch (error) {
    return error
  }
}

module.exports = { Mailbox }
