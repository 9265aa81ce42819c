'use strict'

// The callers that wait for isolates to be ready, and why isolates could not be started. After a failure the scheduler holds
// the next start back for a while (src/scheduler/state/alarms.rs).

const { hold, release } = require('../../native/environment')
const { PoolClosedError, WorkerStartError } = require('../../errors')
const { placeInSource } = require('../../payload/thrown')
const { SCRIPT } = require('../task/targets')
const { adviceFor } = require('../../bundled')
const { BOOTSTRAP } = require('./isolate')

/**
 * The part of the lane that it needs.
 * @typedef {object} Lane
 * @property {import('../../native/addon').NativePool} native
 * @property {(id: number) => void} start
 * @property {() => number} countReady
 */

class Starts {
  #lane
  /** Why the last isolate could not be started. For a native worker there is only one reason. @type {unknown} */
  #error = new Error('the system gives no thread')
  #failing = false
  /**
   * The callers that wait, each for a number of isolates.
   * @type {{ least: number, resolve: () => void, reject: (error: Error) => void }[]}
   */
  #expecting = []

  /** @type {Set<{ reject: (error: Error) => void }>} */
  #watching = new Set()

  /** @param {Lane} lane */
  constructor(lane) {
    this.#lane = lane
  }

  /** Starts the isolates that are missing up to the minimum, or up to `least`. */
  minimum(least = 0) {
    for (const id of this.#lane.native.reserveMinimum(SCRIPT, least)) this.#lane.start(id)
  }

  /**
   * Resolves when `least` isolates are ready, and starts them if they are not on their way. Keeps the process alive
   * until then.
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
    return this.#lane.countReady()
  }

  /**
   * Has a waiting caller rejected by the next failure to start an isolate.
   * @param {{ reject: (error: Error) => void }} other
   */
  watch(other) {
    this.#watching.add(other)
  }

  /** @param {{ reject: (error: Error) => void }} other */
  unwatch(other) {
    this.#watching.delete(other)
  }

  /** One more isolate is ready. */
  succeeded() {
    this.#failing = false
    if (this.#expecting.length === 0) return
    const { ready } = this
    const waiting = this.#expecting
    this.#expecting = waiting.filter(({ least }) => least > ready)
    for (const { least, resolve } of waiting) if (least <= ready) resolve()
  }

  /**
   * An isolate could not be started.
   * @param {unknown} error
   * @returns whether it is the first failure in a row
   */
  failed(error) {
    const isFirst = !this.#failing
    this.#failing = true
    this.#error = error
    this.#disappoint(this.why())
    return isFirst
  }

  /** Whether a caller would hear of a failure. */
  get isAwaited() {
    return this.#expecting.length + this.#watching.size > 0
  }

  /** The error for callers that have waited for an isolate. */
  why() {
    const cause = this.#error
    const { message } = /** @type {{ message?: unknown }} */ (cause ?? {})
    const reason = typeof message === 'string' ? message + placeInSource(cause) : String(cause)
    return new WorkerStartError(`No worker could be started: ${reason}${adviceFor(cause, BOOTSTRAP)}`, { cause })
  }

  /** The pool ends. */
  stop() {
    this.#disappoint(new PoolClosedError('The pool was closed before its workers were ready'))
  }

  /** The scheduler starts isolates again, after a failed start. */
  retry() {
    for (const { least } of this.#expecting) this.minimum(least)
  }

  /** @param {Error} error */
  #disappoint(error) {
    for (const { reject } of [...this.#expecting.splice(0), ...this.#watching]) reject(error)
    this.#watching.clear()
  }
}

module.exports = { Starts }
