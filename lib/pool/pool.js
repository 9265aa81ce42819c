'use strict'

// The class that the user makes: ways to call, steering, ending, readings. Its parts are in parts.js. Code that not
// every program needs is loaded at its first use.

const { EventEmitter } = require('node:events')
const { invalidArgument } = require('../errors')
const { LANE } = require('../native/wire')
const { show } = require('./options/validate')

/** @typedef {InstanceType<typeof import('./parts').Parts>} Parts */

/** @type {typeof import('./options') & typeof import('./parts') | undefined} */
let loaded

/** The parts of a pool and the checks of its options, loaded with the first pool. */
function parts() {
  return (loaded ??= { ...require('./options'), ...require('./parts') })
}

/**
 * The parts of a pool, for other code of this package.
 * @type {(pool: Pool) => Parts}
 */
let inside
/** @type {(value: unknown) => boolean} */
let isPool

/**
 * The error of a call that could not be made.
 * @param {Pool | undefined} pool the object that the method was called on
 * @param {unknown} error
 */
function reasonOf(pool, error) {
  return isPool(pool) ? error : misplaced(error)
}

/** @param {unknown} [cause] */
function misplaced(cause) {
  return invalidArgument('A method of a pool must be called on its pool, as in pool.run(input)', { cause })
}

class Pool extends EventEmitter {
  /** @type {Parts} */
  #parts
  /** @type {import('./calls/exports').Exports | undefined} */
  #exports

  /** @param {unknown} [options] */
  constructor(options) {
    super()
    const { Parts, poolOptions } = parts()
    this.#parts = new Parts(this, poolOptions(options))
  }

  // ---- calling ---------------------------------------------------------------------------------

  /**
   * @param {unknown} [input]
   * @param {unknown} [options]
   * @returns {Promise<unknown>}
   */
  run(input, options) {
    try {
      const { lookup, submitter, defaults } = this.#parts
      if (options === undefined && lookup.main !== undefined) return submitter.submit(lookup.main, input, defaults)
      const given = parts().runOptions(options)
      const target = lookup.script(given.name, given.filename)
      return submitter.submit(target, input, this.#parts.settings(given))
    } catch (error) {
      return Promise.reject(reasonOf(this, error))
    }
  }

  /**
   * @param {unknown} task
   * @param {unknown} [input]
   * @param {unknown} [options]
   * @returns {Promise<unknown>}
   */
  runTask(task, input, options) {
    try {
      const { lookup, submitter, defaults } = this.#parts
      const target = lookup.of(task)
      const settings =
        options === undefined
          ? defaults
          : this.#parts.settings(parts().taskOptions(options, target.lane === LANE.NATIVE))
      return submitter.submit(target, input, settings)
    } catch (error) {
      return Promise.reject(reasonOf(this, error))
    }
  }

  /**
   * As `run`, but blocks until the task has ended.
   * @param {unknown} [input]
   * @param {unknown} [options]
   * @returns {unknown}
   */
  runSync(input, options) {
    try {
      const given = parts().runOptions(options)
      const target = this.#parts.lookup.script(given.name, given.filename)
      return require('./calls/run-sync').runSync(this.#parts, target, input, this.#parts.settings(given))
    } catch (error) {
      throw reasonOf(this, error)
    }
  }

  /**
   * As `runTask`, but blocks until the task has ended.
   * @param {unknown} task
   * @param {unknown} [input]
   * @param {unknown} [options]
   * @returns {unknown}
   */
  runTaskSync(task, input, options) {
    try {
      const target = this.#parts.lookup.of(task)
      const settings = this.#parts.settings(parts().taskOptions(options, target.lane === LANE.NATIVE))
      return require('./calls/run-sync').runSync(this.#parts, target, input, settings)
    } catch (error) {
      throw reasonOf(this, error)
    }
  }

  /**
   * An async iterable of the results of a task for each input.
   * @param {unknown} inputs
   * @param {unknown} [task] undefined for the function that `run` calls
   * @param {unknown} [options]
   */
  map(inputs, task, options) {
    return require('./calls/map').map(inside(this), inputs, task, options)
  }

  /**
   * As `map`, but gives the outcome of each input.
   * @param {unknown} inputs
   * @param {unknown} [task]
   * @param {unknown} [options]
   */
  settled(inputs, task, options) {
    return require('./calls/map').settled(inside(this), inputs, task, options)
  }

  /**
   * An async iterable of the items that a task's function yields.
   * @param {unknown} task
   * @param {unknown} [input]
   * @param {unknown} [options]
   */
  stream(task, input, options) {
    return require('./calls/stream').stream(inside(this), task, input, options)
  }

  /**
   * A Duplex: written chunks are the input of a generator, and items that it yields are read.
   * @param {unknown} task
   * @param {unknown} [options]
   */
  pipe(task, options) {
    return require('./calls/pipe').pipe(inside(this), task, options)
  }

  /**
   * Runs a task once in every worker that is ready.
   * @param {unknown} task
   * @param {unknown} [input]
   * @param {unknown} [options]
   * @returns {Promise<unknown[]>}
   */
  broadcast(task, input, options) {
    return require('./calls/broadcast').broadcast(inside(this), task, input, options)
  }

  /**
   * A task, and a port to it.
   * @param {unknown} task
   * @param {unknown} [input]
   * @param {unknown} [options]
   */
  channel(task, input, options) {
    return require('./calls/channel').channel(inside(this), task, input, options)
  }

  /** The exports of the pool's script, as functions. */
  exports() {
    return (this.#exports ??= require('./calls/exports').exportsOf((name, input, options) =>
      this.#call(name, input, options)
    ))
  }

  /**
   * @param {string} name
   * @param {unknown} input
   * @param {unknown} options
   * @returns {Promise<unknown>}
   */
  #call(name, input, options) {
    try {
      const settings = this.#parts.settings(parts().taskOptions(options, false))
      return this.#parts.submit(this.#parts.lookup.script(name), input, settings)
    } catch (error) {
      return Promise.reject(reasonOf(this, error))
    }
  }

  // ---- steering --------------------------------------------------------------------------------

  /**
   * Resolves when the script's `minThreads` workers are ready.
   * @returns {Promise<void>}
   */
  async ready() {
    const { options, isolates, phase } = inside(this)
    phase.mustBeOpen()
    await isolates.starts.whenReady(options.filename === undefined ? 0 : options.minThreads)
  }

  /** Starts no waiting task until `resume`. Running tasks go on, and calls are taken. */
  pause() {
    if (inside(this).phase.isOpen) inside(this).pause(true)
  }

  resume() {
    if (!inside(this).phase.hasEnded) inside(this).pause(false)
  }

  /** @param {unknown} sizes */
  resize(sizes) {
    inside(this).resize(sizes)
  }

  /**
   * Replaces all isolates.
   * @returns {Promise<void>}
   */
  async recycle() {
    inside(this).phase.mustBeOpen()
    await inside(this).isolates.recycle()
  }

  /** Rejects all waiting tasks with an AbortError. @returns {number} how many tasks that were */
  cancelQueued() {
    return inside(this).phase.hasEnded ? 0 : inside(this).native.cancelWaiting()
  }

  // ---- ending ----------------------------------------------------------------------------------

  /**
   * @param {unknown} [options]
   * @returns {Promise<void>}
   */
  close(options) {
    try {
      const { force, timeout } = parts().closeOptions(options)
      return force ? this.destroy() : inside(this).phase.close(parts().toLimit(timeout))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** @returns {Promise<void>} */
  destroy() {
    return inside(this).phase.destroy()
  }

  get closed() {
    return !this.#parts.phase.isOpen
  }

  /** @returns {Promise<void>} */
  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close()
  }

  // ---- readings --------------------------------------------------------------------------------

  stats() {
    return inside(this).readings.stats()
  }

  /** The tasks of each worker at this moment, and its JavaScript stack. */
  stacks() {
    return inside(this).readings.stacks()
  }

  /** How long tasks wait and run. */
  get histogram() {
    return this.#parts.readings.histogram
  }

  /** The metrics of this pool as text for Prometheus. @returns {string} */
  metrics() {
    return require('./observe/metrics').metricsOf([inside(this).readings.readable])
  }

  get options() {
    return this.#parts.options
  }

  get paused() {
    return this.#parts.paused
  }

  /** The workers of both lanes that have started. */
  get size() {
    return this.#parts.readings.size
  }

  /** Whether tasks wait for a worker. If so, a producer should wait for 'drain'. */
  get needsDrain() {
    return this.#parts.submitter.waited
  }

  /**
   * The text that `console.log` shows.
   * @param {number} _
   * @param {import('node:util').InspectOptionsStylized} style
   * @param {typeof import('node:util').inspect} inspect
   */
  [Symbol.for('nodejs.util.inspect.custom')](_, style, inspect) {
    const { label, maxThreads } = this.options
    const { workers, queued, running } = this.stats()
    const shown = { label, maxThreads, workers: workers.length, queued, running }
    return `${this.constructor.name} ${inspect(this.closed ? { ...shown, closed: true } : shown, style)}`
  }

  static {
    isPool = (value) => value !== null && typeof value === 'object' && #parts in value
    inside = (pool) => {
      if (!isPool(pool)) throw misplaced()
      return pool.#parts
    }
  }
}

/** A pool as in tutorials: a number of workers, their script, and data for it. */
class WorkerPool extends Pool {
  /**
   * @param {number} threads
   * @param {string | URL} filename
   * @param {object} [options]
   */
  constructor(threads, filename, options) {
    if (!Number.isInteger(threads) || threads < 1)
      throw invalidArgument(`WorkerPool: the number of workers must be a positive integer, got ${show(threads)}`)
    if (filename === undefined)
      throw invalidArgument("WorkerPool: the script is missing, as in new WorkerPool(4, './worker.js')")
    super({ ...options, filename, minThreads: threads, maxThreads: threads })
  }

  /**
   * @param {unknown} [data]
   * @param {unknown} [options]
   */
  runTask(data, options) {
    return this.run(data, options)
  }

  /**
   * @param {unknown} [data]
   * @param {unknown} [options]
   */
  runTaskSync(data, options) {
    return this.runSync(data, options)
  }
}

module.exports = { Pool, WorkerPool, inside }
