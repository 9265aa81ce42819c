'use strict'

// A call that somebody watches: it keeps the asynchronous context of its caller, is a resource for
// async_hooks, and is told to the channels of diagnostics_channel and to the user timing of Node.js.

const { AsyncResource } = require('node:async_hooks')
const { performance } = require('node:perf_hooks')
const { notify } = require('../environment')
const { rejecting } = require('../task/rejecting')
const { Task } = require('../task/task')
const { describeTarget } = require('./describe-target')
const { channels, hasSubscribers } = require('./watch')

const { queue, start, end, error, tracing } = channels

/** What subscribers get: one object a task, from its call to its end. */
class TaskContext {
  /**
   * @param {any} pool
   * @param {import('../task/targets').Target} target
   */
  constructor(pool, target) {
    const { task, lane, kind, filename } = describeTarget(target)
    this.pool = pool
    this.task = task
    this.lane = lane
    this.kind = kind
    this.filename = filename
    /** @type {{ id: number, threadId: number | undefined } | undefined} */
    this.worker = undefined
    /** Milliseconds. @type {number | undefined} */
    this.wait = undefined
    /** @type {number | undefined} */
    this.run = undefined
  }
}

/**
 * What a watched call needs of its pool, beside what each does.
 * @typedef {object} Watching
 * @property {any} pool
 * @property {boolean} timing whether each task becomes a measure
 * @property {(worker: number) => number | undefined} threadIdOf
 */

class WatchedTask extends Task {
  /** Made within the call: a store that is bound to the start of its trace belongs to it. @type {any} */
  #resource
  #watching
  #called = performance.now()
  /** @type {any} */
  #context
  #ended = false
  /** @type {number | undefined} */
  #run
  /** Whether the scheduler is to tell when it starts, and how long it ran. */
  observed

  /**
   * @param {import('../task/task').Home} home
   * @param {(value: any) => void} resolve
   * @param {(error: any) => void} reject
   * @param {Watching} watching
   * @param {import('../task/targets').Target} target
   * @param {any} settings
   */
  constructor(home, resolve, reject, watching, target, settings) {
    super(home, resolve, reject)
    const { onProgress, link } = settings
    const inside = (/** @type {any} */ listener) =>
      listener && ((/** @type {any[]} */ ...args) => this.#tell(() => listener(...args)))
    this.#watching = watching
    this.observed = watching.timing || hasSubscribers()
    if (this.observed) this.#context = new TaskContext(watching.pool, target)
    this.onProgress = inside(onProgress)
    this.link = inside(link)
    this.resolve = (/** @type {any} */ value) => this.#tell(() => this.#end(undefined, value, () => resolve(value)))
    this.reject = (/** @type {any} */ error) => this.#tell(() => this.#end({ error }, undefined, () => reject(error)))
    this.fail = (/** @type {(reaction: Function) => any} */ make) =>
      this.#tell(() =>
        resolve(
          rejecting(make).catch((error) => {
            this.#end({ error }, undefined, () => {})
            throw error
          })
        )
      )
  }

  /**
   * Runs the call itself.
   * @param {() => void} submit
   */
  call(submit) {
    if (!tracing.start.hasSubscribers) return this.#call(submit)
    tracing.start.runStores(this.#context, () => this.#call(submit))
  }

  /** @param {() => void} submit */
  #call(submit) {
    this.#resource = new AsyncResource('RspoolTask', { requireManualDestroy: true })
    try {
      submit()
      if (this.observed && !this.#ended) queue.publish(this.#context)
    } catch (error) {
      this.#failed(error)
      if (this.observed) end.publish(this.#context)
      this.#resource.emitDestroy()
      throw error
    } finally {
      if (this.observed) tracing.end.publish(this.#context)
    }
  }

  /**
   * A worker has taken it.
   * @param {number} worker
   * @param {number} wait milliseconds
   */
  started(worker, wait) {
    if (!this.observed) return
    const taken = { id: worker, threadId: this.#watching.threadIdOf(worker) }
    this.#tell(() => {
      this.#context.worker = taken
      this.#context.wait = wait
      start.publish(this.#context)
    })
  }

  /** @param {number} run milliseconds */
  ran(run) {
    this.#run = run
  }

  /**
   * @param {number} what
   * @param {number} about
   * @param {number} length
   * @param {number} offset
   */
  settle(what, about, length, offset) {
    // All progress and items before the end.
    if (this.onProgress !== undefined || this.link !== undefined) this.home.flush()
    super.settle(what, about, length, offset)
  }

  /**
   * In the context of the caller, once nothing of the mailbox is being read.
   * @param {() => void} action
   */
  #tell(action) {
    notify(() => this.#resource.runInAsyncScope(action))
  }

  /**
   * @param {{ error: unknown } | undefined} failure
   * @param {any} result
   * @param {() => void} settle
   */
  #end(failure, result, settle) {
    this.#ended = true
    try {
      if (this.observed) this.#announce(failure, result)
    } finally {
      settle()
      if (this.observed) tracing.asyncEnd.publish(this.#context)
      this.#resource.emitDestroy()
    }
  }

  /**
   * @param {{ error: unknown } | undefined} failure
   * @param {any} result
   */
  #announce(failure, result) {
    const context = this.#context
    context.run = this.#run
    if (failure !== undefined) this.#failed(failure.error)
    else if (context.kind === 'call') context.result = result
    end.publish(context)
    if (this.#watching.timing) this.#measure(failure)
    tracing.asyncStart.publish(context)
  }

  /** @param {unknown} cause */
  #failed(cause) {
    if (!this.observed) return
    this.#context.error = cause
    error.publish(this.#context)
    tracing.error.publish(this.#context)
  }

  /** @param {{ error: any } | undefined} failure */
  #measure(failure) {
    const { pool, task, lane, kind, wait, run } = this.#context
    performance.measure('rspool:task', {
      start: this.#called,
      end: performance.now(),
      detail: { pool: pool.options.name, task, lane, kind, wait, run, error: failure && labelOf(failure.error) }
    })
  }
}

/** @param {any} error */
function labelOf(error) {
  const { code, name } = error ?? {}
  if (typeof code === 'string' && code !== '') return code
  return typeof name === 'string' && name !== '' ? name : 'thrown'
}

module.exports = { WatchedTask }
