'use strict'

// Messages between the primary and one process: plain ones, and requests that are answered. Both
// ends of a channel have a mailbox.

const { RspoolError, invalidArgument } = require('../errors')
const { readOptions, duration, show } = require('../pool/options/validate')
const { later } = require('./later')

/** More than this on its way to one process means that it does not read. */
const MAX_UNSENT = 10_000
const REQUEST_TIMEOUT = 10_000

class Mailbox {
  #send
  #unsent = 0
  #nextId = 1
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void, cancel: () => void }>} */
  #waiting = new Map()
  /** @type {Set<(message: any, info: any) => unknown>} */
  #listeners = new Set()
  /** @type {((message: any, info: any) => unknown)|undefined} */
  #answer
  /** Requests of the other end that are being answered. */
  #answering = 0
  /** Who waits until there are none. @type {(() => void)[]} */
  #answered = []
  #info

  /**
   * @param {(message: object, done: (error: Error|null) => void) => void} send
   * @param {object} [info] what listeners learn of the sender
   */
  constructor(send, info = {}) {
    this.#send = send
    this.#info = info
  }

  /** Sends a message; resolves when the channel has taken it. @param {unknown} body */
  send(body) {
    const sent = this.#post({ kind: 'plain', body })
    // Who does not wait for it does not care whether the other side is gone.
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

  /** @param {(message: any, info: any) => unknown} listener */
  onMessage(listener) {
    if (typeof listener !== 'function') throw invalidArgument(`onMessage: expected a function, got ${show(listener)}`)
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** The one function whose result answers requests. @param {(message: any, info: any) => unknown} answer */
  onRequest(answer) {
    if (typeof answer !== 'function') throw invalidArgument(`onRequest: expected a function, got ${show(answer)}`)
    this.#answer = answer
  }

  /** @param {any} message from the other end, which may be anything */
  receive(message) {
    const { kind, id, body } = message
    if (kind === 'plain') {
      for (const listener of this.#listeners) listener(body, this.#info)
    } else if (kind === 'request') {
      this.#respond(id, body)
    } else if (kind === 'answer') {
      this.#settle(id)?.resolve(body)
    } else if (kind === 'refusal') {
      const { name, message: text, code, stack } = message.error ?? {}
      const error = Object.assign(new Error(text), { name, stack }, code === undefined ? {} : { code })
      this.#settle(id)?.reject(error)
    }
  }

  /** Resolves when no request of the other end is being answered. @returns {Promise<void>} */
  whenAnswered() {
    return new Promise((resolve) => (this.#answering === 0 ? resolve() : void this.#answered.push(resolve)))
  }

  /** Nobody will answer any more. */
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
      const { name, message, stack, code } =
        error instanceof Error ? /** @type {any} */ (error) : new Error(String(error))
      // The channel may be gone: then nobody waits either.
      await this.#post({ kind: 'refusal', id, error: { name, message, stack, code } }).catch(() => {})
    } finally {
      if (--this.#answering === 0) for (const resolve of this.#answered.splice(0)) resolve()
    }
  }

  /** @param {object} message @returns {Promise<void>} */
  #post(message) {
    if (this.#unsent >= MAX_UNSENT) {
      return Promise.reject(
        new RspoolError('ERR_RSPOOL_CHANNEL_FULL', `${MAX_UNSENT} messages wait for a process that does not read them`)
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
        // What cannot be cloned is the caller's error, as it is.
        this.#unsent--
        reject(error)
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

module.exports = { Mailbox }
