'use strict'

// Watches one call, however it was made: keeps the asynchronous context of the caller, is a resource for async_hooks,
// and reports to diagnostics_channel and to the user timing of Node.js.

const { AsyncResource } = require('node:async_hooks')
const { performance } = require('node:perf_hooks')
const { notify } = require('../../native/drain')
const { rejecting } = require('../task/rejecting')
const { describeTarget } = require('./describe-target')
const { channels, hasSubscribers } = require('./watch')

const { queue, start, end, error, tracing } = channels

/** @typedef {InstanceType<typeof import('../task/task').Task>} Task */
/** @typedef {(action: () => void) => void} Tell */

/** The message for subscribers: one object per task, from its call to its end. */
class TaskContext {
  pool
  task
  lane
  kind
  filename
  nested
  /** The context of the task that called, if that task is watched too. @type {TaskContext | undefined} */
  outer
  /** @type {{ id: number, threadId: number | undefined } | undefined} */
  worker
  /** Milliseconds. @type {number | undefined} */
  wait
  /** @type {number | undefined} */
  run

  /**
   * @param {Watching['pool']} pool
   * @param {InstanceType<typeof import('../task/targets').Target>} target
   * @param {Task | undefined} outer
   */
  constructor(pool, target, outer) {
    const { task, lane, kind, filename } = describeTarget(target)
    this.pool = pool
    this.task = task
    this.lane = lane
    this.kind = kind
    this.filename = filename
    this.nested = outer !== undefined
    this.outer = outer?.watcher?.context
  }
}

/**
 * The part of the pool that a watcher needs, beside the arguments of each call.
 * @typedef {object} Watching
 * @property {{ readonly options: import('../options/pool-options').ResolvedOptions }} pool
 * @property {boolean} timing whether each task becomes a measure
 * @property {AsyncResource} scope the context in which the pool was made
 * @property {(worker: number) => number | undefined} threadIdOf
 */

/** @type {Tell} */
const atOnce = (action) => action()

class Watcher {
  #task
  #watching
  /** The task that has called. @type {Task | undefined} */
  #outer
  #called = performance.now()
  #settled = false
  /** @type {number | undefined} */
  #run
  /**
   * Made within the call, so that it has the stores that are bound to the start of the trace.
   * @type {AsyncResource | undefined}
   */
  resource
  /** The message for subscribers, if there were any at the call. @type {TaskContext | undefined} */
  context

  /**
   * @param {Task} task that was just made
   * @param {Watching} watching
   * @param {InstanceType<typeof import('../task/targets').Target>} target
   * @param {InstanceType<typeof import('../task/settings').Settings>} settings
   */
  constructor(task, watching, target, { onProgress, link, outer }) {
    this.#task = task
    this.#watching = watching
    this.#outer = outer
    task.watcher = this
    task.observed = watching.timing || hasSubscribers()
    if (task.observed) this.context = new TaskContext(watching.pool, target, outer)
    if (task.prompt) this.#follow()
    else this.#surround()
    if (onProgress !== undefined || link !== undefined) this.#listen(onProgress, link)
  }

  /** The task settles at once. Observers are told when their code may run. */
  #follow() {
    const task = this.#task
    const { resolve, reject } = task
    task.resolve = (value) => {
      resolve(value)
      this.#ends(undefined, value)
    }
    task.reject = (error) => {
      reject(error)
      this.#ends({ error }, undefined)
    }
  }

  /** The task settles between `asyncStart` and `asyncEnd`, as in a TracingChannel. */
  #surround() {
    const task = this.#task
    const { resolve, reject } = task
    task.resolve = (value) => this.#ends(undefined, value, () => resolve(value))
    task.reject = (error) => this.#ends({ error }, undefined, () => reject(error))
    task.fail = (make) => {
      this.#settled = true
      this.#tell(() =>
        resolve(
          rejecting(make).catch((error) => {
            this.#end({ error }, undefined)
            throw error
          })
        )
      )
    }
  }

  /**
   * Has the listeners of the call run in its context.
   * @param {((value: unknown) => unknown) | undefined} onProgress
   * @param {import('../task/settings').Link | undefined} link
   */
  #listen(onProgress, link) {
    const task = this.#task
    const { settle } = task
    task.onProgress = onProgress && ((value) => this.#tell(() => onProgress(value)))
    task.link = link && ((message, reply) => this.#tell(() => link(message, reply)))
    task.settle = (notice, about, value) => {
      // All progress and all items come before the end.
      task.home.flush()
      return settle.call(task, notice, about, value)
    }
  }

  /**
   * Runs the call itself.
   * @param {() => void} submit
   */
  call(submit) {
    if (this.#outer === undefined) return this.#open(() => this.#submit(submit, atOnce))
    // The call came as a message of a worker. The thread may be blocked, and the current context is not that of the
    // caller.
    notify(() => this.#surroundings.runInAsyncScope(() => this.#open(() => {})))
    this.#submit(submit, (action) => this.#tell(action))
  }

  /** The resource. It exists once the call was made, before observers are told. */
  get #own() {
    return /** @type {AsyncResource} */ (this.resource)
  }

  /** @returns {AsyncResource} */
  get #surroundings() {
    return this.#outer?.watcher?.resource ?? this.#watching.scope
  }

  /** @param {() => void} within */
  #open(within) {
    const open = () => {
      this.resource = new AsyncResource('RspoolTask', { requireManualDestroy: true })
      within()
    }
    if (this.context !== undefined && tracing.start.hasSubscribers) tracing.start.runStores(this.context, open)
    else open()
  }

  /**
   * @param {() => void} submit
   * @param {Tell} tell
   */
  #submit(submit, tell) {
    try {
      submit()
      if (!this.#settled) tell(() => this.#publish(queue))
    } catch (error) {
      tell(() => this.#refused(error))
      throw error
    } finally {
      tell(() => this.#publish(tracing.end))
    }
  }

  /** @param {unknown} error */
  #refused(error) {
    this.#failed(error)
    this.#publish(end)
    this.#own.emitDestroy()
  }

  /**
   * A worker has taken it.
   * @param {number} worker
   * @param {number} wait milliseconds
   */
  started(worker, wait) {
    const taken = { id: worker, threadId: this.#watching.threadIdOf(worker) }
    this.#tell(() => {
      if (this.context !== undefined) Object.assign(this.context, { worker: taken, wait })
      this.#publish(start)
    })
  }

  /** @param {number} run milliseconds */
  ran(run) {
    this.#run = run
  }

  /**
   * Runs an action in the context of the caller, once the thread is not blocked.
   * @param {() => void} action
   */
  #tell(action) {
    notify(() => this.#own.runInAsyncScope(action))
  }

  /**
   * @param {{ error: unknown } | undefined} failure
   * @param {unknown} result
   * @param {() => void} [settle]
   */
  #ends(failure, result, settle) {
    this.#settled = true
    this.#tell(() => this.#end(failure, result, settle))
  }

  /**
   * @param {{ error: unknown } | undefined} failure
   * @param {unknown} result
   * @param {() => void} [settle]
   */
  #end(failure, result, settle) {
    try {
      if (this.context !== undefined) this.#announce(this.context, failure, result)
    } finally {
      settle?.()
      this.#publish(tracing.asyncEnd)
      this.#own.emitDestroy()
    }
  }

  /**
   * @param {TaskContext} context
   * @param {{ error: unknown } | undefined} failure
   * @param {unknown} result
   */
  #announce(context, failure, result) {
    context.run = this.#run
    if (failure !== undefined) this.#failed(failure.error)
    else if (context.kind === 'call' || context.kind === 'channel') Object.assign(context, { result })
    end.publish(context)
    if (this.#watching.timing) this.#measure(context, failure)
    tracing.asyncStart.publish(context)
  }

  /** @param {unknown} cause */
  #failed(cause) {
    if (this.context !== undefined) Object.assign(this.context, { error: cause })
    this.#publish(error)
    this.#publish(tracing.error)
  }

  /** @param {import('node:diagnostics_channel').Channel} channel */
  #publish(channel) {
    if (this.context !== undefined) channel.publish(this.context)
  }

  /** @param {TaskContext} context @param {{ error: unknown } | undefined} failure */
  #measure({ pool, task, lane, kind, nested, wait, run }, failure) {
    performance.measure('rspool:task', {
      start: this.#called,
      end: performance.now(),
      detail: {
        pool: pool.options.label,
        task,
        lane,
        kind,
        nested,
        wait,
        run,
        error: failure && labelOf(failure.error)
      }
    })
  }
}

/** @param {unknown} error */
function labelOf(error) {
  const { code, name } = /** @type {{ code?: unknown, name?: unknown }} */ (error ?? {})
  if (typeof code === 'string' && code !== '') return code
  return typeof name === 'string' && name !== '' ? name : 'thrown'
}

module.exports = { Watcher }
