'use strict'

// One thread whose tasks are chosen by the main thread: a pool of one worker that is not replaced when it ends.

const { soon } = require('../native/environment')
const { Pool, inside } = require('../pool/pool')
const { Settings } = require('../pool/task/settings')
const { WorkerExitError } = require('../errors')
const { terminated, translate } = require('./errors')
const { Times, summary } = require('./histogram')
const { poolOptions } = require('./options')
const { viewOf } = require('./view')

/** @typedef {InstanceType<typeof import('./call').Call>} Call */

/** How many tasks a load balancer of the user may give a thread at once before they wait in it. */
const BALANCED = 64

/**
 * @typedef {object} Events
 * @property {(thread: Thread) => void} ready
 * @property {(thread: Thread, call: Call, failed: boolean, value: unknown) => void} done
 * @property {(thread: Thread) => void} exited by itself
 * @property {(message: unknown) => void} message
 * @property {(error: unknown) => void} complain
 */

class Thread {
  /** @type {Set<Call>} */
  calls = new Set()
  destroyed = false
  /** @type {Promise<void> | undefined} */
  gone
  /** Cancels the end of a thread that has been idle for long enough. */
  stayIdle = () => {}
  #pool
  #submitter
  #isolates
  #events
  #times
  #exited = false

  /**
   * @param {import('./types').Options} options of the piscina
   * @param {Events} events
   * @param {boolean} ready whether it gets tasks before it has started
   */
  constructor(options, events, ready) {
    const given = poolOptions(options)
    if (options.loadBalancer !== undefined)
      given.concurrentTasksPerWorker = Math.max(BALANCED, given.concurrentTasksPerWorker)
    // Without a script it starts with its first task.
    const pool = new Pool({ ...given, minThreads: 1, maxThreads: 1, idleTimeout: Infinity })
    this.#pool = pool
    const { isolates, submitter } = inside(pool)
    isolates.starts.minimum()
    // When it ends, the dispatcher decides whether another thread is started.
    pool.resize({ minThreads: 0 })
    this.ready = ready
    this.#isolates = isolates
    this.#submitter = submitter
    this.#events = events
    this.#times = options.workerHistogram ? new Times() : undefined
    this.settings = new Settings(pool.options)
    /** Whether its script has been loaded. */
    this.started = false
    this.worker = this.#isolates.all.values().next().value?.worker
    pool.on('message', events.message)
    pool.on('error', events.complain)
    pool.on('workerCreate', () => {
      this.started = true
      if (!this.destroyed) events.ready(this)
    })
    pool.on('workerExit', () => this.#exits())
  }

  #exits() {
    if (this.#exited) return
    this.#exited = true
    if (!this.destroyed) this.#events.exited(this)
  }

  get isRunningAbortableTask() {
    if (this.calls.size !== 1) return false
    const [call] = this.calls
    return call.isAbortable
  }

  get usage() {
    return this.isRunningAbortableTask ? Infinity : this.calls.size
  }

  get view() {
    return viewOf(
      {
        id: () => this.worker?.threadId ?? -1,
        usage: () => this.usage,
        destroyed: () => this.destroyed,
        isRunningAbortableTask: () => this.isRunningAbortableTask,
        histogram: () => (this.#times === undefined ? null : summary(this.#times))
      },
      this
    )
  }

  /** Why it did not start. */
  get startError() {
    return translate(this.#isolates.whyNotStarted(), 0)
  }

  /** @param {Call} call */
  post(call) {
    this.stayIdle()
    call.thread = this
    call.started = performance.now()
    this.calls.add(call)
    const { transferList } = call
    const settings = transferList === undefined ? this.settings : new Settings(this.#pool.options, { transferList })
    try {
      this.#submitter.submit(call.target, call.task, settings).then(
        (/** @type {unknown} */ value) => this.#ended(call, false, value),
        (/** @type {unknown} */ error) => {
          // The events of the pool come later, and the caller may have a task at once.
          if (error instanceof WorkerExitError) this.started = true
          if (this.#isolates.all.size === 0) this.#exits()
          this.#ended(call, true, translate(error, 0))
        }
      )
    } catch (error) {
      soon(() => this.#ended(call, true, error))
    }
  }

  /**
   * @param {Call} call
   * @param {boolean} failed
   * @param {unknown} value
   */
  #ended(call, failed, value) {
    this.calls.delete(call)
    this.#times?.record(performance.now() - call.started)
    this.#events.done(this, call, failed, value)
  }

  /** Ends the thread and its tasks. If it has ended by itself, its tasks reject with the reason. */
  destroy() {
    if (this.destroyed) return
    this.destroyed = true
    this.stayIdle()
    this.gone = this.#pool.destroy()
    if (this.#exited) return
    const calls = [...this.calls]
    this.calls.clear()
    for (const call of calls) this.#events.done(this, call, true, terminated())
  }
}

module.exports = { Thread }
