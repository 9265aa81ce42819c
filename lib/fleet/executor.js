'use strict'

// The worker's half: runs a task that the engine has delivered. It opens the envelope, has a pool run the function that
// the envelope names, and gives the outcome. If the task may have ended a process before, it runs in a process of its
// own.

const { performance } = require('node:perf_hooks')
const { AbortError, UnknownTaskError, RspoolError } = require('../errors')
const { Quarantine } = require('../bullmq/quarantine')
const { runIn } = require('../bullmq/processor')
const { quiet } = require('../bullmq/quiet')
const { GIVE_BACK } = require('../bullmq/special')
const { describe } = require('../payload/thrown')
const { open, isNewer } = require('./envelope')
const { workerLost } = require('./errors')
const { GiveBack } = require('./give-back')
const { Presence } = require('./presence')

/**
 * @typedef {import('./types').Delivery} Delivery
 * @typedef {import('./types').Envelope} Envelope
 * @typedef {import('./types').Outcome} Outcome
 */

/** Milliseconds before a task that this worker does not know is delivered again. */
const SKEW_DELAY = 1000
/** The codes of errors for which another attempt would be in vain. */
const HOPELESS = new Set([
  'ERR_RSPOOL_UNKNOWN_TASK',
  'ERR_RSPOOL_INVALID_ARGUMENT',
  'ERR_RSPOOL_BAD_ENVELOPE',
  'ERR_RSPOOL_DEADLINE',
  'ERR_RSPOOL_INPUT_TOO_LARGE',
  'ERR_RSPOOL_WORKER_LOST',
  'ABORT_ERR'
])

class Executor {
  #pool
  #tasks
  #values
  #settings
  #quarantine
  #clock
  #presence
  counts = { started: 0, redelivered: 0, quarantined: 0, finished: 0, busyMs: 0 }

  /**
   * @param {import('../bullmq/types').Pool} pool
   * @param {ReadonlySet<string>} tasks the names of the tasks that are taken
   * @param {InstanceType<typeof import('./values').Values>} values
   * @param {{ secret: string | undefined, maxTimeout: number | undefined, skewGrace: number, resultTtl: number }} settings
   * @param {Pick<import('./types').Engine, 'store' | 'clock'>} engine
   */
  constructor(pool, tasks, values, settings, engine) {
    this.#clock = () => engine.clock()
    this.#presence = new Presence(engine.store)
    this.#pool = pool
    this.#tasks = tasks
    this.#values = values
    this.#settings = settings
    this.#quarantine = new Quarantine(pool)
  }

  /**
   * @param {Delivery} delivery
   * @returns {Promise<Outcome>}
   * @throws GiveBack if another worker shall have the task
   */
  run = async (delivery) => {
    const start = performance.now()
    try {
      const envelope = this.#open(delivery)
      const value = await this.#perform(envelope, delivery)
      return { fine: true, value: await this.#values.put(value, this.#settings.resultTtl, false) }
    } catch (error) {
      if (error instanceof GiveBack) throw error
      if (error instanceof AbortError && delivery.signal.reason === GIVE_BACK) {
        await quiet(this.#pool)
        throw new GiveBack(0)
      }
      return this.#failed(error)
    } finally {
      this.counts.finished++
      this.counts.busyMs += performance.now() - start
    }
  }

  /** @param {unknown} error */
  async #failed(error) {
    const { code, name, message } = /** @type {{ code?: string, name?: string, message?: string }} */ (error ?? {})
    const text = error instanceof Error ? `${name}: ${message}` : `thrown: ${String(error)}`
    const value = await this.#values.put(describe(error), this.#settings.resultTtl, false)
    return { fine: false, value, text, hopeless: HOPELESS.has(code ?? '') }
  }

  /** @param {Delivery} delivery */
  #open({ envelope: given, age, lost }) {
    const { secret, skewGrace } = this.#settings
    // While versions run side by side, another worker may know a task that this one does not.
    if (isNewer(given) && age < skewGrace) throw new GiveBack(SKEW_DELAY)
    const envelope = open(given, secret)
    if (!this.#tasks.has(envelope.task)) {
      if (age < skewGrace) throw new GiveBack(SKEW_DELAY)
      const list = [...this.#tasks].join("', '")
      throw new UnknownTaskError(
        `No worker has the task '${envelope.task.slice(0, 80)}'. This one has '${list}': name it in the 'tasks' of work()`
      )
    }
    if (lost > envelope.retries) throw workerLost(lost)
    return envelope
  }

  /**
   * @param {Envelope} envelope
   * @param {Delivery} delivery
   */
  async #perform({ task, input: part, many, options = {}, reply, orphan }, { id, lost, signal: given, progress }) {
    const input = await this.#values.get(part)
    const { maxTimeout } = this.#settings
    const timeout = Math.min(options.timeout ?? Infinity, maxTimeout ?? Infinity)
    const watch = reply === undefined || orphan === undefined ? undefined : this.#presence.watch(reply, orphan)
    const signal = watch === undefined ? given : AbortSignal.any([given, watch.signal])
    /** @type {Record<string, unknown>} */
    const settings = { ...options, signal, onProgress: progress }
    if (timeout !== Infinity) settings.timeout = timeout
    if (options.deadline !== undefined) settings.deadline = options.deadline - (await this.#clock())
    if (!task.includes('.')) settings.context = { ...options.context, fleet: { id, start: lost + 1 } }
    this.counts.started++
    if (lost > 0) this.counts.redelivered++
    const call = (/** @type {unknown} */ each) => this.#call(lost > 0, { task, input: each }, settings)
    try {
      return await (many ? this.#many(input, task, settings, signal, lost > 0 ? call : undefined) : call(input))
    } finally {
      watch?.stop()
    }
  }

  /**
   * @param {unknown} input
   * @param {string} task
   * @param {Record<string, unknown>} settings
   * @param {AbortSignal} signal
   * @param {((each: unknown) => Promise<unknown>) | undefined} alone runs an input alone, if a start of the task was
   *   lost
   */
  async #many(input, task, settings, signal, alone) {
    if (!Array.isArray(input)) throw new RspoolError('ERR_RSPOOL_BAD_ENVELOPE', 'The inputs of a map are no array')
    const call = (/** @type {unknown} */ each) => this.#call(false, { task, input: each }, settings)
    const start = performance.now()
    const ends =
      alone !== undefined || task.includes('.') || settings.affinity !== undefined
        ? await Promise.all(input.map((each) => ended((alone ?? call)(each))))
        : await this.#all(task, input, settings)
    if (signal.aborted) throw new AbortError(signal.reason)
    return { ends, ms: performance.now() - start }
  }

  /**
   * Runs many inputs as a few tasks of the pool.
   * @param {string} task
   * @param {unknown[]} inputs
   * @param {Record<string, unknown>} settings
   */
  async #all(task, inputs, { onProgress, ...settings }) {
    const ends = await this.#pool.settled(inputs, task, settings)
    return ends.map((end) => (end.status === 'fulfilled' ? [true, end.value] : [false, describe(end.reason)]))
  }

  /**
   * @param {boolean} again whether a start of the task was lost
   * @param {import('../bullmq/types').Call} call
   * @param {Record<string, unknown>} settings
   */
  #call(again, call, settings) {
    if (!again) return runIn(this.#pool, call, settings)
    this.counts.quarantined++
    return this.#quarantine.run(call, settings)
  }
}

/**
 * The outcome of one input of a map: `[true, value]` or `[false, description]`.
 * @param {Promise<unknown>} promise
 */
function ended(promise) {
  return promise.then(
    (value) => [true, value],
    (error) => [false, describe(error)]
  )
}

module.exports = { Executor }
