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
 * What it needs of its lane.
 * @typedef {object} Lane
 * @property {import('../../native/addon').NativePool} native
 * @property {(id: number) => void} start
 * @property {() => number} countReady
 */

class Starts {
  #lane
  /** Why the last one could not be started; of a native worker there is one reason only. @type {unknown} */
  #error = new Error('the system gives no thread')
  #failing = false
  /** The callers that wait, each for so many isolates. @type {{ least: number, resolve: () => void, reject: (error: Error) => void }[]} */
  #expecting = []

  /** @type {Set<{ reject: (error: Error) => void }>} */
  #watching = new Set()

  /** @param {Lane} lane */
  constructor(lane) {
    this.#lane = lane
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
    return this.#lane.countReady()
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
   * @returns whether it is the first of some in a row
   */
  failed(error) {
    const isFirst = !this.#failing
    this.#failing = true
    this.#error = error
    this.#disappoint(this.why())
    return isFirst
  }

  /** Whether somebody hears of a failure. */
  get isAwaited() {
    return this.#expecting.length + this.#watching.size > 0
  }

  /** Settles the promises of callers that have waited for an isolate. */
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

  /** The scheduler starts isolates again, after one that could not be. */
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
