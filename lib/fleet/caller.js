'use strict'

// The calls of this process that wait for their tasks. Each settles once: by an event of the caller's stream, by a look
// at the engine if no event has come, by the caller's signal, or by a limit.

const { randomUUID } = require('node:crypto')
const { AbortError, QueueTimeoutError } = require('../errors')
const { later } = require('../later')
const { revive } = require('../payload/thrown')
const { noReply, lost } = require('./errors')

/**
 * @typedef {import('./types').CallerEvent} CallerEvent
 * @typedef {import('./types').Engine} Engine
 * @typedef {import('./types').Outcome} Outcome
 */

/**
 * Milliseconds until the engine is first asked about a task without an event, and the longest time between two such
 * looks.
 */
const FIRST_LOOK = 2000
const LONGEST_LOOK = 30_000
/** Milliseconds without a call after which events are no longer listened for. */
const REST = 1000

/**
 * @typedef {object} Pending
 * @property {(value: unknown) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {((value: unknown) => void) | undefined} onProgress
 * @property {(() => void)[]} clean
 * @property {boolean} unknown whether the engine did not know the task at the last look
 * @property {Promise<void>} told settles when the progress so far has been passed on
 */

class Caller {
  /** The name by which the engine's events reach this caller. */
  name = randomUUID()
  #engine
  #values
  /** @type {Map<string, Pending>} */
  #pending = new Map()
  /** @type {Promise<() => Promise<void>> | undefined} */
  #listening
  /** @type {(() => void) | undefined} */
  #stopLooking
  #wait = FIRST_LOOK
  /** @type {(() => void) | undefined} */
  #stayAwake

  /**
   * @param {Engine} engine
   * @param {InstanceType<typeof import('./values').Values>} values
   */
  constructor(engine, values) {
    this.#engine = engine
    this.#values = values
  }

  get pending() {
    return this.#pending.size
  }

  /** Begins to receive events. Must be awaited before the first task is added. */
  async listen() {
    this.#stayAwake?.()
    this.#stayAwake = undefined
    this.#listening ??= this.#engine.replies(this.name, (event) => void this.#received(event))
    try {
      await this.#listening
    } catch (error) {
      this.#listening = undefined
      throw error
    }
  }

  /**
   * Waits for a task that is about to be added.
   * @param {string} id
   * @param {object} options
   * @param {AbortSignal} [options.signal]
   * @param {number} [options.queueTimeout] milliseconds
   * @param {number} options.resultTimeout milliseconds
   * @param {(value: unknown) => void} [options.onProgress]
   * @returns {Promise<unknown>}
   */
  wait(id, { signal, queueTimeout, resultTimeout, onProgress }) {
    return new Promise((resolve, reject) => {
      /** @type {Pending} */
      const pending = { resolve, reject, onProgress, clean: [], unknown: false, told: Promise.resolve() }
      this.#pending.set(id, pending)
      this.#after(pending, resultTimeout, () => this.fail(id, noReply(id)))
      if (queueTimeout !== undefined) this.#after(pending, queueTimeout, () => void this.#waitedTooLong(id))
      if (signal !== undefined) {
        const abort = () => {
          if (this.fail(id, new AbortError(signal.reason))) void this.giveUp(id)
        }
        signal.addEventListener('abort', abort, { once: true })
        pending.clean.push(() => signal.removeEventListener('abort', abort))
      }
      this.#stopLooking ??= this.#lookAfter(FIRST_LOOK)
    })
  }

  /**
   * Ends a task, wherever it is. True if it waited.
   * @param {string} id
   */
  async giveUp(id) {
    try {
      if (await this.#engine.remove(id)) return true
      await this.#engine.cancel(id)
    } catch {
      // The engine is away: the lease or the limit of the task ends it.
    }
    return false
  }

  /**
   * @param {Pending} pending
   * @param {number} ms
   * @param {() => void} then
   */
  #after(pending, ms, then) {
    pending.clean.push(later(ms, then))
  }

  /** @param {string} id */
  async #waitedTooLong(id) {
    try {
      if (!(await this.#engine.remove(id))) return
    } catch (error) {
      this.fail(id, error)
      return
    }
    this.fail(id, new QueueTimeoutError('The task waited longer than its queueTimeout'))
  }

  /**
   * @param {string} id
   * @returns {Pending | undefined}
   */
  #take(id) {
    const pending = this.#pending.get(id)
    if (pending === undefined) return undefined
    this.#pending.delete(id)
    for (const clean of pending.clean) clean()
    if (this.#pending.size === 0) {
      this.#stopLooking?.()
      this.#stopLooking = undefined
      this.#stayAwake ??= later(REST, () => this.#stop(), { ref: false })
    }
    return pending
  }

  /**
   * @param {string} id
   * @param {unknown} error
   */
  fail(id, error) {
    const pending = this.#take(id)
    pending?.reject(error)
    return pending !== undefined
  }

  /** @param {CallerEvent} event */
  async #received(event) {
    const pending = this.#pending.get(event.id)
    if (pending === undefined) return
    if (event.kind === 'ended') return this.#ended(event.id, event.outcome)
    const { onProgress } = pending
    if (onProgress === undefined) return
    pending.told = pending.told.then(async () => {
      const value = await this.#values.get(event.value)
      queueMicrotask(() => onProgress(value))
    })
    pending.told.catch(() => {})
  }

  /**
   * @param {string} id
   * @param {Outcome | undefined} outcome
   */
  async #ended(id, outcome) {
    try {
      const known = outcome ?? (await this.#engine.outcome(id))
      if (known === undefined) {
        this.fail(id, lost(id))
        return
      }
      await this.#pending.get(id)?.told.catch(() => {})
      const settle = await read(known, this.#values)
      const pending = this.#take(id)
      if (pending === undefined) return
      settle(pending)
      // Only this caller needs the outcome.
      this.#values.delete(known.value).catch(() => {})
    } catch (error) {
      this.fail(id, error)
    }
  }

  // ---- what no event has told --------------------------------------------------------------------

  /** @param {number} ms */
  #lookAfter(ms) {
    this.#wait = ms
    return later(ms, () => void this.#lookNow())
  }

  async #lookNow() {
    const ids = [...this.#pending.keys()]
    try {
      const states = await this.#engine.look(ids)
      for (const [i, id] of ids.entries()) this.#seen(id, states[i])
    } catch {
      // The engine is away: the caller asks again later.
    }
    if (this.#pending.size > 0) this.#stopLooking = this.#lookAfter(Math.min(this.#wait * 2, LONGEST_LOOK))
  }

  /**
   * @param {string} id
   * @param {import('./types').TaskState} state
   */
  #seen(id, state) {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    if (state === 'ended') void this.#ended(id, undefined)
    // A task that was just added may not be visible yet.
    else if (state !== 'unknown') pending.unknown = false
    else if (pending.unknown) this.fail(id, lost(id))
    else pending.unknown = true
  }

  /** Stops listening, which would keep the process alive. */
  async #stop() {
    this.#stayAwake = undefined
    if (this.#pending.size > 0) return
    const listening = this.#listening
    this.#listening = undefined
    const stop = await listening?.catch(() => undefined)
    await stop?.()
  }

  /** @param {Error} why the reason for giving the calls up */
  async close(why) {
    for (const id of [...this.#pending.keys()]) this.fail(id, why)
    this.#stayAwake?.()
    await this.#stop()
  }
}

/**
 * A function that settles a promise with the outcome of a task.
 * @param {Outcome} outcome
 * @param {InstanceType<typeof import('./values').Values>} values
 * @returns {Promise<(promise: { resolve: (value: unknown) => void, reject: (error: unknown) => void }) => void>}
 */
async function read({ fine, value: part }, values) {
  const value = await values.get(part)
  if (fine) return ({ resolve }) => resolve(value)
  const error = revive(/** @type {never} */ (value))
  return ({ reject }) => reject(error)
}

module.exports = { Caller, read }
