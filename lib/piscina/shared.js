'use strict'

// For most users: all calls in one pool, whose workers take tasks by themselves.

const { Pool, inside } = require('../pool/pool')
const { abortOf } = require('../pool/task/abort')
const { Settings } = require('../pool/task/settings')
const { translate, AbortError } = require('./errors')
const { poolOptions } = require('./options')
const { viewOf } = require('./view')

/** @typedef {InstanceType<typeof import('./call').Call>} Call */

class Shared {
  #options
  #owner
  #pool
  #isolates
  #submitter
  #settings
  /**
   * The threads by the id of their worker.
   * @type {Map<number, { view: import('./view').View, state: { destroyed: boolean } }>}
   */
  #views = new Map()
  #cancelled = false

  /**
   * @param {import('./types').Options} options of the piscina
   * @param {import('./types').Owner} owner
   */
  constructor(options, owner) {
    const { minThreads, maxThreads, idleTimeout, maxQueue } = options
    this.#options = options
    this.#owner = owner
    this.#pool = new Pool({
      ...poolOptions(options),
      minThreads: Math.ceil(minThreads),
      maxThreads: Math.ceil(maxThreads),
      idleTimeout,
      maxQueue: Math.ceil(maxQueue)
    })
    const { isolates, submitter } = inside(this.#pool)
    this.#isolates = isolates
    this.#submitter = submitter
    this.#settings = new Settings(this.#pool.options)
    this.timing = this.#pool.histogram
    this.#pool.on('message', (message) => owner.emit('message', message))
    this.#pool.on('error', (error) => owner.complain(error))
    this.#pool.on('workerCreate', (worker) => this.#created(worker))
    this.#pool.on('workerExit', (worker) => this.#ended(worker))
  }

  /** @param {Call} call */
  submit(call) {
    const { signal, transferList } = call
    const settings =
      signal === null && transferList === undefined
        ? this.#settings
        : new Settings(this.#pool.options, { signal: signal ?? undefined, transferList })
    this.#submitter.submit(call.target, call.task, settings).then(
      (/** @type {unknown} */ value) => this.#owner.done(call, false, value),
      (/** @type {unknown} */ error) => this.#owner.done(call, true, this.#translate(call, error))
    )
  }

  /**
   * @param {Call} call
   * @param {unknown} error
   */
  #translate(call, error) {
    const translated = translate(error, this.#options.maxQueue)
    const isCancelled =
      this.#cancelled && translated instanceof AbortError && abortOf(call.signal ?? undefined) === undefined
    return isCancelled ? new AbortError('pool is closed') : translated
  }

  get threads() {
    return [...this.#isolates.all.values()].filter(({ ending }) => !ending).map(({ worker }) => worker)
  }

  get idleThreads() {
    return Math.max(0, this.threads.length - this.#submitter.pending)
  }

  get queueSize() {
    return Math.max(0, this.#submitter.pending - this.threads.length)
  }

  /**
   * The worker may have ended before this event: then its exit is the next one.
   * @param {{ id: number, threadId: number }} worker
   */
  #created({ id, threadId }) {
    const usage = () => this.#pool.stats().workers.find((each) => each.id === id)?.running ?? 0
    const state = { destroyed: false, threadId }
    const view = viewOf({
      id: () => state.threadId,
      usage: () => (state.destroyed ? 0 : usage()),
      destroyed: () => state.destroyed
    })
    this.#views.set(id, { view, state })
    this.#owner.emit('workerCreate', view)
  }

  /** @param {{ id: number }} worker */
  #ended({ id }) {
    const known = this.#views.get(id)
    if (known === undefined) return
    known.state.destroyed = true
    this.#views.delete(id)
    this.#owner.emit('workerDestroy', known.view)
  }

  /** @param {boolean} force whether tasks that have not started are given up */
  close(force) {
    if (force) {
      this.#cancelled = true
      this.#pool.cancelQueued()
    }
    return this.#pool.close()
  }

  destroy() {
    return this.#pool.destroy()
  }
}

module.exports = { Shared }
