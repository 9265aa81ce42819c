'use strict'

// When isolates may be started: who waits for them, and how long a failure to start holds the next one back.

const { hold, release } = require('../../native/environment')
const { PoolClosedError, WorkerStartError } = require('../../errors')
const { SCRIPT } = require('../task/targets')

/** Milliseconds before an isolate is started again after the first failure to start; doubled each time. */
const FIRST_BACKOFF = 100
const LONGEST_BACKOFF = 5000

/**
 * What it needs of its lane.
 * @typedef {object} Lane
 * @property {import('../../native/addon').NativePool} native
 * @property {() => boolean} isOpen
 * @property {(id: number) => void} start
 */

class Starts {
  #lane
  /** In a row. */
  #failures = 0
  /** @type {unknown} */
  #error
  /** @type {NodeJS.Timeout | undefined} */
  #backoff
  /** When the next may be started, after a failure. */
  #retryAt = Infinity
  /** Who waits for so many isolates. @type {{ least: number, resolve: () => void, reject: (error: Error) => void }[]} */
  #expecting = []

  /** @type {Set<{ reject: (error: Error) => void }>} */
  #watching = new Set()

  /** @param {Lane} lane */
  constructor(lane) {
    this.#lane = lane
  }

  /** Whether the latest attempts have failed. */
  get failing() {
    return this.#failures > 0
  }

  /** Starts the isolates that the minimum, or `least`, lacks. */
  minimum(least = 0) {
    for (const id of this.#lane.native.reserveMinimum(SCRIPT, least)) this.#lane.start(id)
  }

  /**
   * Resolves when so many isolates are ready, which are started if there are none on their way. The process is
   * kept until then.
   * @param {number} least
   * @returns {Promise<void>}
   */
  async whenReady(least) {
    if (this.ready >= least) return
    hold()
    try {
      this.minimum(least)
      await new Promise((resolve, reject) => this.#expecting.push({ least, resolve: () => resolve(undefined), reject }))
    } finally {
      release()
    }
  }

  /** How many isolates are ready. */
  get ready() {
    return this.#lane.native.readyCount(SCRIPT)
  }

  /**
   * What is waited for beside isolates: it hears of the next failure to start one.
   * @param {{ reject: (error: Error) => void }} other
   */
  watch(other) {
    this.#watching.add(other)
  }

  /** @param {{ reject: (error: Error) => void }} other */
  unwatch(other) {
    this.#watching.delete(other)
  }

  /** One more is ready. */
  succeeded() {
    this.#failures = 0
    if (this.#expecting.length === 0) return
    const { ready } = this
    const waiting = this.#expecting
    this.#expecting = waiting.filter(({ least }) => least > ready)
    for (const { least, resolve } of waiting) if (least <= ready) resolve()
  }

  /**
   * An isolate could not be started: the next one waits, longer each time.
   * @param {unknown} error
   */
  failed(error) {
    this.#error = error
    this.#failures++
    this.#disappoint(this.why())
    this.#lane.native.hold(SCRIPT, true)
    clearTimeout(this.#backoff)
    const delay = Math.min(FIRST_BACKOFF * 2 ** (this.#failures - 1), LONGEST_BACKOFF)
    this.#retryAt = performance.now() + delay
    this.#backoff = setTimeout(() => this.#retry(), delay).unref()
  }

  /** What those get to hear who have waited for an isolate. */
  why() {
    const cause = this.#error
    const message =
      cause instanceof Error || typeof (/** @type {any} */ (cause)?.message) === 'string'
        ? /** @type {any} */ (cause).message
        : String(cause)
    return new WorkerStartError(`No worker could be started: ${message}`, { cause })
  }

  /** Does what the timer would do, while the loop is blocked. */
  attend() {
    if (performance.now() >= this.#retryAt) this.#retry()
  }

  /** The pool ends. */
  stop() {
    clearTimeout(this.#backoff)
    this.#disappoint(new PoolClosedError('The pool was closed before its workers were ready'))
  }

  #retry() {
    clearTimeout(this.#backoff)
    this.#retryAt = Infinity
    if (!this.#lane.isOpen()) return
    this.#lane.native.hold(SCRIPT, false)
    for (const { least } of this.#expecting) this.minimum(least)
  }

  /** @param {Error} error */
  #disappoint(error) {
    for (const { reject } of [...this.#expecting.splice(0), ...this.#watching]) reject(error)
    this.#watching.clear()
  }
}

module.exports = { Starts }
