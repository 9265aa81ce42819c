'use strict'

// What the user makes: the ways to call, steering, ending, readings. The scheduling is Rust's. What
// not every program uses is loaded by the first use.

const { EventEmitter } = require('node:events')
const { pools } = require('../native/drain')
const { bound, calls, hold, release, soon } = require('../native/environment')
const { RECORD, REMINDER } = require('../native/wire')
const { PoolClosedError, WorkerStartError, invalidArgument } = require('../errors')
const { labelOf, takeLabel, giveLabelBack } = require('./labels')
const { Lookup } = require('./task/lookup')
const { poolOptions, runOptions, taskOptions, sizeOptions, closeOptions, toLimit } = require('./options')
const { NATIVE, SCRIPT } = require('./task/targets')
const { withReadings } = require('./observe/readings')
const { workers } = require('./observe/watch')
const { Settings } = require('./task/settings')
const { Submitter } = require('./task/submitter')
const { show } = require('./options/validate')

/**
 * What other ways to use a pool within this package need of it.
 * @type {(pool: Pool) => { isolates: InstanceType<typeof import('./isolates').Isolates>, submitter: InstanceType<typeof Submitter> }}
 */
let inside

class Pool extends EventEmitter {
  #options
  #defaults
  #native
  /** @type {InstanceType<typeof import('./isolates').Isolates>} */
  #isolates
  #lookup
  /** @type {InstanceType<typeof Submitter>} */
  #submitter
  /** For other ways to call. @type {import('./calls/map').Caller} */
  #caller
  /** @type {import('./calls/exports').Exports | undefined} */
  #exports
  /** @type {'open' | 'closing' | 'ended'} */
  #phase = 'open'
  #lanes = 0
  /** @type {Promise<void> | undefined} */
  #closed
  /** @type {(() => void) | undefined} */
  #resolveClosed
  #shut = false
  #paused = false
  /** @type {any} */
  #histogram
  /** @type {(() => void) | undefined} */
  #keepTimes
  /** @type {any} */
  #lastStats
  /** @type {import('../native/addon').Measures | undefined} */
  #lastMeasures

  /** @param {any} [options] */
  constructor(options) {
    super()
    const given = poolOptions(options)
    this.#options = Object.freeze(Object.assign(given, { label: given.label ?? labelOf(given.filename) }))
    const { maxQueue, concurrentTasksPerWorker, abortGrace, idleTimeout, filename } = this.#options
    const { startTimeout, stallTimeout } = this.#options
    this.#defaults = new Settings(this.#options)
    const { minThreads, maxThreads, niceIncrement = 0, pin = false, isolate = false, recycle } = this.#options
    const native = bound.createPool(
      minThreads,
      maxThreads,
      maxQueue,
      concurrentTasksPerWorker,
      abortGrace,
      idleTimeout,
      niceIncrement,
      pin,
      startTimeout,
      stallTimeout
    )
    if (native === undefined) throw new WorkerStartError('The system gives no thread for the time limits of the pool')
    this.#native = native
    if (isolate || recycle !== undefined) {
      this.#native.recycle(recycle?.tasks ?? Infinity, recycle?.age ?? Infinity, isolate)
    }
    for (const [name, { weight, maxRunning }] of Object.entries(this.#options.groups ?? {})) {
      this.#native.configureGroup(name, weight, maxRunning)
    }
    takeLabel(this.#options.label)
    pools.set(this.#native.uid, {
      control: (what, about) => this.#control(what, about),
      load: () => this.#native.load(),
      readable: () => this.#readable()
    })
    const optionsNow = () => this.#options
    const submitterNow = () => this.#submitter
    // It brings worker_threads with it, which who only counts or calls processes does without.
    const { Isolates } = require('./isolates')
    this.#isolates = new Isolates({
      native: this.#native,
      uid: this.#native.uid,
      get options() {
        return optionsNow()
      },
      isOpen: () => this.#phase === 'open' || (this.#phase === 'closing' && !this.#shut),
      // A ticket is used again; a generation is not.
      taskOf: (ticket, generation) => {
        const task = /** @type {any} */ (calls[ticket])
        return task?.generation === generation ? task : undefined
      },
      get submitter() {
        return submitterNow()
      },
      emit: (event, ...args) => this.#emit(event, ...args),
      complain: (error) => this.#complain(error),
      notFound: (number) => {
        const target = this.#submitter.numbers.forget(number)
        if (target !== undefined) this.#lookup.forget(target)
      },
      ended: () => this.#finish()
    })
    const lookup = new Lookup(filename, this.#options.name)
    const submitter = new Submitter({
      native: this.#native,
      options: this.#options,
      main: lookup.main,
      isolates: this.#isolates,
      watching: {
        pool: this,
        timing: this.#options.timing === true,
        scope: this.#isolates.scope,
        threadIdOf: (worker) => this.#isolates.all.get(worker)?.threadId
      },
      onDrain: () => this.#emit('drain'),
      onEmpty: () => {
        if (this.#phase === 'closing') this.#shutDown()
      }
    })
    this.#lookup = lookup
    this.#submitter = submitter
    this.#caller = {
      get capacity() {
        return submitter.capacity
      },
      options: this.#options,
      target: (task) => lookup.named(task),
      settings: (given) => new Settings(this.#options, given),
      submit: (target, input, settings) => submitter.submit(target, input, settings),
      submitter,
      isolates: this.#isolates,
      paused: () => this.#paused
    }
    if (filename !== undefined) this.#isolates.starts.minimum()
  }

  /**
   * @param {any} [input]
   * @param {any} [options]
   * @returns {Promise<any>}
   */
  run(input, options) {
    try {
      const { main } = this.#lookup
      if (options === undefined && main !== undefined) return this.#submitter.submit(main, input, this.#defaults)
      const given = runOptions(options)
      const target = this.#lookup.script(given.name, given.filename)
      return this.#submitter.submit(target, input, new Settings(this.#options, given))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * @param {any} task
   * @param {any} [input]
   * @param {any} [options]
   * @returns {Promise<any>}
   */
  runTask(task, input, options) {
    try {
      const target = this.#lookup.of(task)
      const settings =
        options === undefined
          ? this.#defaults
          : new Settings(this.#options, taskOptions(options, target.lane === NATIVE))
      return this.#submitter.submit(target, input, settings)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * As `run`, and blocks until the task has ended.
   * @param {any} [input]
   * @param {any} [options]
   * @returns {any}
   */
  runSync(input, options) {
    const given = runOptions(options)
    const target = this.#lookup.script(given.name, given.filename)
    return require('./calls/run-sync').runSync(this.#caller, target, input, this.#caller.settings(given))
  }

  /**
   * As `runTask`, and blocks until the task has ended.
   * @param {any} task
   * @param {any} [input]
   * @param {any} [options]
   * @returns {any}
   */
  runTaskSync(task, input, options) {
    const target = this.#lookup.of(task)
    const settings = this.#caller.settings(taskOptions(options, target.lane === NATIVE))
    return require('./calls/run-sync').runSync(this.#caller, target, input, settings)
  }

  /**
   * An async iterable of what a task gives for each input.
   * @param {any} inputs
   * @param {any} [task] undefined for the function that `run` calls
   * @param {any} [options]
   */
  map(inputs, task, options) {
    return require('./calls/map').map(this.#caller, inputs, task, options)
  }

  /**
   * As `map`, and how each input ended.
   * @param {any} inputs
   * @param {any} [task]
   * @param {any} [options]
   */
  settled(inputs, task, options) {
    return require('./calls/map').settled(this.#caller, inputs, task, options)
  }

  /**
   * An async iterable of what a task's function yields.
   * @param {any} task
   * @param {any} [input]
   * @param {any} [options]
   */
  stream(task, input, options) {
    return require('./calls/stream').stream(this.#caller, task, input, options)
  }

  /**
   * A Duplex: what is written is the input of a generator, what it yields is read.
   * @param {any} task
   * @param {any} [options]
   */
  pipe(task, options) {
    return require('./calls/pipe').pipe(this.#caller, task, options)
  }

  /**
   * Runs a task once in every worker that is ready.
   * @param {any} task
   * @param {any} [input]
   * @param {any} [options]
   * @returns {Promise<any[]>}
   */
  broadcast(task, input, options) {
    const whenReady = (/** @type {number} */ least) => this.#isolates.starts.whenReady(least)
    if (this.#phase !== 'open') return Promise.reject(new PoolClosedError('The pool is closed'))
    const caller = { ...this.#caller, options: this.#options, native: this.#native, whenReady }
    return require('./calls/broadcast').broadcast(caller, task, input, options)
  }

  /**
   * A task, and a port to it.
   * @param {any} task
   * @param {any} [input]
   * @param {any} [options]
   */
  channel(task, input, options) {
    return require('./calls/channel').channel(this.#caller, task, input, options)
  }

  /** The exports of the pool's script, as functions. */
  exports() {
    return (this.#exports ??= require('./calls/exports').exportsOf((name, input, options) =>
      this.#call(name, input, options)
    ))
  }

  /**
   * @param {string} name
   * @param {any} input
   * @param {any} options
   * @returns {Promise<any>}
   */
  #call(name, input, options) {
    try {
      const target = this.#lookup.script(name)
      const settings = options === undefined ? this.#defaults : new Settings(this.#options, taskOptions(options, false))
      return this.#submitter.submit(target, input, settings)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  // ---- what the scheduler asks for -------------------------------------------------------------

  /**
   * @param {number} what
   * @param {number} about
   */
  #control(what, about) {
    if (what === RECORD.START) {
      // The scheduler counts on it since it asked: a pool that ends meanwhile says that it has gone.
      if (this.#shut) this.#native.leave(about)
      else this.#isolates.start(about)
    } else if (what === RECORD.TERMINATE) this.#isolates.terminate(about)
    else if (what === RECORD.GONE) this.#isolates.gone(about)
    else if (what === RECORD.LOOK) this.#isolates.look(about)
    else if (what === RECORD.STARTED_TOO_LATE) this.#isolates.startedTooLate(about)
    else if (what === RECORD.NOT_BEGUN) this.#isolates.notBegun(about)
    else if (what === RECORD.STALLED) this.#isolates.stalled(about)
    else if (what === RECORD.REMIND) this.#reminded(about)
    else if (what === RECORD.LANE_ENDED) {
      this.#lanes |= 1 << about
      this.#finish()
    }
  }

  /** @param {number} what was waited for */
  #reminded(what) {
    if (what === REMINDER.CLOSE) this.destroy()
    else if (what === REMINDER.OUTPUT) this.#isolates.flushedEnough()
    else if (what === REMINDER.RETRY) this.#isolates.starts.retry()
  }

  /**
   * Listeners run outside of the settling of tasks: what they throw is uncaught, as it should be, and
   * harms no task.
   * @param {string} event
   * @param {any[]} args
   */
  #emit(event, ...args) {
    if (this.listenerCount(event) > 0) soon(() => this.#isolates.scope.runInAsyncScope(this.emit, this, event, ...args))
    const channel = workers[/** @type {keyof typeof workers} */ (event)]
    if (channel?.hasSubscribers) channel.publish({ pool: this, ...args[0] })
  }

  /** @param {unknown} error of a worker that ran no task */
  #complain(error) {
    if (this.listenerCount('error') > 0) this.#emit('error', error)
    else process.emitWarning(`A worker of a pool failed while it ran no task: ${show(error)}`, 'RspoolWarning')
  }

  /**
   * Resolves when the script's `minThreads` workers are ready.
   * @returns {Promise<void>}
   */
  async ready() {
    if (this.#phase !== 'open') throw new PoolClosedError('The pool is closed')
    const { filename, minThreads } = this.#options
    await this.#isolates.starts.whenReady(filename === undefined ? 0 : minThreads)
  }

  // ---- steering --------------------------------------------------------------------------------

  /** Starts nothing that waits, until `resume`; what runs goes on, and calls are taken. */
  pause() {
    if (this.#phase === 'open') this.#native.pause((this.#paused = true))
  }

  resume() {
    if (this.#phase !== 'ended') this.#native.pause((this.#paused = false))
  }

  /**
   * Replaces all isolates that there are.
   * @returns {Promise<void>}
   */
  recycle() {
    if (this.#phase !== 'open') return Promise.reject(new PoolClosedError('The pool is closed'))
    return this.#isolates.recycle()
  }

  /** @param {any} sizes */
  resize(sizes) {
    const size = sizeOptions(sizes, this.#options)
    if (this.#phase !== 'open') throw new PoolClosedError('The pool is closed')
    this.#options = Object.freeze({ ...this.#options, ...size })
    this.#submitter.capacity = size.maxThreads * this.#options.concurrentTasksPerWorker
    this.#native.resize(size.minThreads, size.maxThreads)
    if (this.#options.filename !== undefined) this.#isolates.starts.minimum()
  }

  /** Rejects all that waits with an AbortError. @returns {number} how many tasks that were */
  cancelQueued() {
    return this.#phase === 'ended' ? 0 : this.#native.cancelWaiting()
  }

  // ---- ending ----------------------------------------------------------------------------------

  /**
   * @param {any} [options]
   * @returns {Promise<void>}
   */
  close(options) {
    let timeout
    try {
      const given = closeOptions(options)
      if (given.force) return this.destroy()
      timeout = toLimit(given.timeout)
    } catch (error) {
      return Promise.reject(error)
    }
    if (this.#closed === undefined) {
      this.#beginClosing()
      if (this.#submitter.pending === 0) this.#shutDown()
    }
    if (timeout >= 0 && this.#phase !== 'ended') this.#native.remind(REMINDER.CLOSE, timeout)
    return /** @type {Promise<void>} */ (this.#closed)
  }

  /** @returns {Promise<void>} */
  destroy() {
    if (this.#closed === undefined) this.#beginClosing()
    if (this.#phase !== 'ended') {
      this.#shut = true
      this.#native.destroy()
      this.#isolates.terminateAll()
    }
    return /** @type {Promise<void>} */ (this.#closed)
  }

  #beginClosing() {
    // What waits is to end too.
    this.resume()
    this.#phase = 'closing'
    // Loaded now: at the end of the pool there may be nobody left who can load anything.
    const { Histograms } = require('./observe/histogram')
    this.#keepTimes = () => {
      Histograms.keep(this.histogram)
      this.#lastMeasures = this.#measures()
    }
    this.#submitter.open = false
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    hold()
  }

  #shutDown() {
    if (this.#shut) return
    this.#shut = true
    this.#native.close()
    this.#isolates.starts.stop()
  }

  #finish() {
    if (
      this.#phase !== 'closing' ||
      !this.#shut ||
      this.#lanes !== 3 ||
      this.#isolates.all.size + this.#isolates.ending.size > 0 ||
      this.#submitter.pending > 0
    )
      return
    this.#lastStats = this.stats()
    this.#keepTimes?.()
    this.#phase = 'ended'
    pools.delete(this.#native.uid)
    giveLabelBack(this.#options.label)
    this.#native.release()
    release()
    this.#emit('close')
    this.#resolveClosed?.()
  }

  // ---- readings --------------------------------------------------------------------------------

  stats() {
    if (this.#lastStats !== undefined) return this.#lastStats
    const {
      workers: known,
      queued,
      running,
      ...rest
    } = /** @type {import('../native/addon').Snapshot} */ (JSON.parse(this.#native.stats()))
    const workers = known.map((/** @type {any} */ worker) => withReadings(worker, this.#isolates.all.get(worker.id)))
    return {
      workers,
      busy: workers.filter((/** @type {any} */ worker) => worker.state === 'busy').length,
      idle: workers.filter((/** @type {any} */ worker) => worker.state === 'idle').length,
      queued,
      running,
      ...rest
    }
  }

  /** What each worker does at this moment, and its JavaScript stack. */
  async stacks() {
    if (this.#phase === 'ended') return []
    const { workers } = /** @type {import('../native/addon').Snapshot} */ (JSON.parse(this.#native.stats()))
    return require('./observe/stacks').workersWithStacks(workers, this.#isolates.all)
  }

  /** How long tasks wait and run. */
  get histogram() {
    if (this.#histogram === undefined) {
      const { Histograms } = require('./observe/histogram')
      this.#histogram = new Histograms(this.#native)
    }
    return this.#histogram
  }

  /** This pool as text for Prometheus. @returns {string} */
  metrics() {
    return require('./observe/metrics').metricsOf([this.#readable()])
  }

  #readable() {
    const { uid } = this.#native
    return { id: uid, options: this.#options, stats: () => this.stats(), measures: () => this.#measures() }
  }

  /** @returns {import('../native/addon').Measures} */
  #measures() {
    return this.#lastMeasures ?? JSON.parse(this.#native.measures())
  }

  get options() {
    return this.#options
  }

  get paused() {
    return this.#paused
  }

  /** The workers of both lanes that have started. */
  get size() {
    if (this.#phase === 'ended') return 0
    return this.#native.readyCount(NATIVE) + this.#native.readyCount(SCRIPT)
  }

  /** Whether tasks wait for a worker: the moment for a producer to wait for 'drain'. */
  get needsDrain() {
    return this.#submitter.waited
  }

  get closed() {
    return this.#phase !== 'open'
  }

  /** @returns {Promise<void>} */
  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close()
  }

  static {
    inside = (pool) => ({ isolates: pool.#isolates, submitter: pool.#submitter })
  }
}

/** As the tutorials' hand-written pools: a number of workers, their script, and data for that. */
class WorkerPool extends Pool {
  /**
   * @param {number} threads
   * @param {string | URL} filename
   * @param {any} [options]
   */
  constructor(threads, filename, options) {
    if (!Number.isInteger(threads) || threads < 1)
      throw invalidArgument(`WorkerPool: the number of workers must be a positive integer, got ${show(threads)}`)
    if (filename === undefined)
      throw invalidArgument("WorkerPool: the script is missing, as in new WorkerPool(4, './worker.js')")
    super({ ...options, filename, minThreads: threads, maxThreads: threads })
  }

  /**
   * @param {any} [data]
   * @param {any} [options]
   */
  runTask(data, options) {
    return this.run(data, options)
  }

  /**
   * @param {any} [data]
   * @param {any} [options]
   */
  runTaskSync(data, options) {
    return this.runSync(data, options)
  }
}

module.exports = { Pool, WorkerPool, inside }
