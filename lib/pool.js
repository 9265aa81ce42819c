'use strict'

// What the user makes: validates, encodes, submits, and ends. The scheduling is Rust's.

const { EventEmitter } = require('node:events')
const {
  bound,
  cells,
  numbers,
  CELL,
  DEADLINE,
  WHAT,
  pools,
  issue,
  giveBack,
  calls,
  hold,
  release
} = require('./environment')
const { listen } = require('./abort')
const { AbortError, PoolClosedError, QueueFullError, UnknownTaskError, invalidArgument } = require('./errors')
const { Isolates } = require('./isolates')
const { poolOptions, runOptions, sizeOptions, closeOptions, toLimit } = require('./options')
const { PORT, TAG, encode, encodeForNative, toJson } = require('./payload/values')
const { NATIVE, SCRIPT, nativeTarget, scriptTarget, inlineTarget, scriptUrl } = require('./targets')
const { Task } = require('./task')
const { show } = require('./validate')
const { move } = require('./payload/move')

const RESULT_FULL = 1

/** @type {(value: any) => void} */
let resolve
/** @type {(error: any) => void} */
let reject
/** One executor for all promises: no closure a call. */
function capture(/** @type {any} */ a, /** @type {any} */ b) {
  resolve = a
  reject = b
}

/** What is settled for every task of a pool, or given with one. */
class Settings {
  /**
   * @param {any} pool the pool's options
   * @param {any} [run] the task's
   */
  constructor(pool, run) {
    this.timeout = toLimit(run?.timeout ?? pool.timeout)
    this.queueTimeout = toLimit(run?.queueTimeout ?? pool.queueTimeout)
    this.priority = run?.priority ?? 0
    this.deadline = run?.deadline
    this.retries = run?.retries ?? pool.retries ?? 0
    this.signal = run?.signal
    this.transferList = run?.transferList
    this.params = run?.params === undefined ? undefined : toJson(run.params, "Task options: 'params'")
    this.counters = run?.counters
    this.onProgress = run?.onProgress
  }
}

class Pool extends EventEmitter {
  #options
  #defaults
  #handle
  #uid
  #isolates
  /** @type {import('./task').Home} */
  #home
  #main
  /** @type {Map<string, import('./targets').Target>} */
  #exports = new Map()
  #pending = 0
  #capacity
  #waited = false
  /** @type {'open' | 'closing' | 'ended'} */
  #phase = 'open'
  #lanes = 0
  /** @type {Promise<void> | undefined} */
  #closed
  /** @type {(() => void) | undefined} */
  #resolveClosed
  #shut = false
  #paused = false
  #reaper
  /** @type {any} */
  #lastStats

  /** @param {any} [options] */
  constructor(options) {
    super()
    this.#options = Object.freeze(poolOptions(options))
    const { minThreads, maxThreads, maxQueue, concurrentTasksPerWorker, abortGrace, idleTimeout, filename } =
      this.#options
    this.#defaults = new Settings(this.#options)
    const made = bound.createPool(minThreads, maxThreads, maxQueue, concurrentTasksPerWorker, abortGrace, idleTimeout)
    ;[this.#handle, this.#uid] = made.split(',').map(Number)
    this.#capacity = maxThreads * concurrentTasksPerWorker
    pools.set(this.#uid, { control: (what, about) => this.#control(what, about) })
    this.#isolates = new Isolates({
      handle: this.#handle,
      uid: this.#uid,
      options: this.#options,
      isOpen: () => this.#phase === 'open' || (this.#phase === 'closing' && !this.#shut),
      // A ticket is used again; a generation is not.
      taskOf: (ticket, generation) => {
        const task = /** @type {InstanceType<typeof Task> | undefined} */ (calls[ticket])
        return task?.generation === generation ? task : undefined
      },
      emit: (event, ...args) => this.#emit(event, ...args),
      complain: (error) => this.#complain(error),
      ended: () => this.#finish()
    })
    this.#home = {
      left: () => this.#left(),
      flush: () => this.#isolates.flush(),
      receive: (worker, generation) => this.#isolates.receive(worker, generation),
      whyGone: (worker) => this.#isolates.whyGone(worker),
      whyNotStarted: () => this.#isolates.whyNotStarted()
    }
    this.#main =
      filename === undefined
        ? undefined
        : scriptTarget(filename, this.#options.name === 'default' ? undefined : this.#options.name)
    if (filename !== undefined) this.#isolates.startMinimum()
    if (idleTimeout !== Infinity) {
      const every = Math.min(Math.max(idleTimeout / 2, 10), 5000)
      this.#reaper = setInterval(() => bound.reap(this.#handle, SCRIPT, idleTimeout), every).unref()
    }
  }

  /**
   * @param {any} [input]
   * @param {any} [options]
   * @returns {Promise<any>}
   */
  run(input, options) {
    try {
      if (options === undefined && this.#main !== undefined) return this.#submit(this.#main, input, this.#defaults)
      const given = runOptions(options)
      return this.#submit(this.#scriptTarget(given.name, given.filename), input, new Settings(this.#options, given))
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
      let target
      if (typeof task === 'string') {
        target = task.includes('.') ? nativeTarget(task) : this.#scriptTarget(task)
      } else if (typeof task === 'function') target = inlineTarget(task)
      else if (isScriptTask(task))
        target = this.#scriptTarget(
          Object.hasOwn(task, 'name') ? task.name : undefined,
          scriptUrl(task.filename, "The task's filename")
        )
      else {
        if (arguments.length > 2)
          throw invalidArgument(`The task must be a name, a function or { filename, name }, got ${show(task)}`)
        return this.run(task, input)
      }
      const settings = options === undefined ? this.#defaults : new Settings(this.#options, runOptions(options))
      return this.#submit(target, input, settings)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * @param {string | undefined} name
   * @param {string} [filename]
   */
  #scriptTarget(name, filename = this.#options.filename) {
    const own = filename === this.#options.filename
    if (filename === undefined) {
      throw new UnknownTaskError(
        name === undefined
          ? "This pool has no script: give it a 'filename', or name a native task, as in runTask('hash.sha256', bytes)"
          : `There is no task '${name}': this pool has no script to export it. Give the pool a 'filename', or name a native task, as in runTask('hash.sha256', bytes)`
      )
    }
    if (own && name === undefined) return /** @type {import('./targets').Target} */ (this.#main)
    const key = own ? /** @type {string} */ (name) : `${filename}\0${name}`
    let target = this.#exports.get(key)
    if (target === undefined)
      this.#exports.set(key, (target = scriptTarget(filename, name === 'default' ? undefined : name)))
    return target
  }

  // ---- submitting ------------------------------------------------------------------------------

  /**
   * @param {import('./targets').Target} target
   * @param {any} input
   * @param {Settings} settings
   * @returns {Promise<any>}
   */
  #submit(target, input, settings) {
    if (this.#phase !== 'open') throw new PoolClosedError('The pool is closed')
    const { signal, transferList } = settings
    if (signal?.aborted) throw new AbortError(signal.reason)
    const native = target.lane === NATIVE
    let extra
    // Native tasks take a copy of the bytes; what is handed over is taken from the caller all the same.
    if (native) extra = encodeForNative(transferList === undefined ? input : taken(input, transferList))
    else extra = transferList === undefined ? encode(input) : PORT
    const promise = new Promise(capture)
    const task = new Task(this.#home, resolve, reject)
    task.ticket = issue(task)
    task.onProgress = settings.onProgress
    if (extra === PORT) this.#submitByPort(task, target, input, settings)
    else {
      this.#describe(task, target, settings)
      if (settings.params !== undefined || settings.counters !== undefined) submitWith(extra, settings)
      else if (extra === undefined) bound.submit()
      else bound.submit(extra)
      this.#submitted(task)
    }
    if (signal !== undefined && calls[task.ticket] === task) this.#watch(task, signal)
    return promise
  }

  /**
   * @param {InstanceType<typeof Task>} task
   * @param {import('./targets').Target} target
   * @param {Settings} settings
   */
  #describe(task, target, settings) {
    cells[CELL.POOL] = this.#handle
    cells[CELL.TICKET] = task.ticket
    cells[CELL.TARGET] = target.id
    cells[CELL.LANE] = target.lane
    cells[CELL.PRIORITY] = settings.priority
    cells[CELL.TIMEOUT] = settings.timeout
    cells[CELL.QUEUE_TIMEOUT] = settings.queueTimeout
    cells[CELL.RETRIES] = settings.retries
    numbers[DEADLINE] = settings.deadline === undefined ? -1 : Math.max(0, settings.deadline - Date.now())
  }

  /** @param {InstanceType<typeof Task>} task */
  #submitted(task) {
    const result = cells[CELL.RESULT]
    if (result !== 0) {
      giveBack(task.ticket)
      task.reject(
        result === RESULT_FULL
          ? new QueueFullError(`The pool's queue is full: 'maxQueue' is ${this.#options.maxQueue}`)
          : new PoolClosedError('The pool is closed')
      )
      return
    }
    task.key = cells[CELL.KEY]
    task.generation = cells[CELL.GENERATION]
    if (++this.#pending > this.#capacity) this.#waited = true
    if (cells[CELL.START] >= 0) this.#isolates.start(cells[CELL.START])
  }

  /**
   * @param {InstanceType<typeof Task>} task
   * @param {import('./targets').Target} target
   * @param {any} input
   * @param {Settings} settings
   */
  #submitByPort(task, target, input, settings) {
    const list = settings.transferList ?? []
    // A task that may start again keeps its input, so it is held here and copied each time.
    const again = settings.retries > 0
    const put = () => {
      this.#describe(task, target, settings)
      cells[CELL.TAG] = TAG.PORT
      cells[CELL.FORM] = 0
    }
    put()
    if (again) cells[CELL.SLOT] = -1
    else bound.submitDirect()
    const slot = cells[CELL.SLOT]
    if (slot >= 0) {
      const worker = cells[CELL.START]
      const key = cells[CELL.KEY]
      const generation = cells[CELL.GENERATION]
      try {
        this.#isolates.send(worker, slot, generation, target.id, task.ticket, input, list, true)
      } catch (error) {
        bound.undo(this.#handle, worker, slot)
        giveBack(task.ticket)
        task.reject(error)
        return
      }
      // A getter in the input may have submitted other tasks.
      cells[CELL.KEY] = key
      cells[CELL.GENERATION] = generation
      cells[CELL.RESULT] = 0
      cells[CELL.START] = -1
      this.#submitted(task)
      return
    }
    try {
      // As it is now: a later change by the caller must not reach the task.
      task.held = structuredClone({ input, list }, { transfer: list })
      if (again) task.held.list = []
    } catch (error) {
      giveBack(task.ticket)
      task.reject(error)
      return
    }
    put()
    bound.submit()
    this.#submitted(task)
  }

  /**
   * @param {InstanceType<typeof Task>} task
   * @param {any} signal
   */
  #watch(task, signal) {
    task.unlisten = listen(signal, (reason) => {
      if (bound.cancel(this.#handle, task.key, task.generation)) task.abort(reason)
    })
  }

  #left() {
    this.#pending--
    if (this.#waited && this.#pending <= this.#capacity) {
      this.#waited = false
      this.#emit('drain')
    }
    if (this.#pending === 0 && this.#phase === 'closing') this.#shutDown()
  }

  // ---- what the scheduler asks for -------------------------------------------------------------

  /**
   * @param {number} what
   * @param {number} about
   */
  #control(what, about) {
    if (what === WHAT.START) {
      if (this.#shut) return
      this.#isolates.start(about)
    } else if (what === WHAT.TERMINATE) this.#isolates.terminate(about)
    else if (what === WHAT.LANE_ENDED) {
      this.#lanes |= 1 << about
      this.#finish()
    }
  }

  /**
   * Listeners run outside of the settling of tasks: what they throw is uncaught, as it should be, and
   * harms no task.
   * @param {string} event
   * @param {any[]} args
   */
  #emit(event, ...args) {
    if (this.listenerCount(event) > 0) process.nextTick(() => this.emit(event, ...args))
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
    hold()
    try {
      await this.#isolates.whenReady()
    } finally {
      release()
    }
  }

  // ---- steering --------------------------------------------------------------------------------

  /** Starts nothing that waits, until `resume`; what runs goes on, and calls are taken. */
  pause() {
    if (this.#phase === 'open') bound.pause(this.#handle, (this.#paused = true))
  }

  resume() {
    if (this.#phase !== 'ended') bound.pause(this.#handle, (this.#paused = false))
  }

  /** @param {any} sizes */
  resize(sizes) {
    const size = sizeOptions(sizes, this.#options)
    if (this.#phase !== 'open') throw new PoolClosedError('The pool is closed')
    this.#options = Object.freeze({ ...this.#options, ...size })
    this.#capacity = size.maxThreads * this.#options.concurrentTasksPerWorker
    bound.resize(this.#handle, size.minThreads, size.maxThreads)
    if (this.#options.filename !== undefined) this.#isolates.startMinimum()
  }

  /** Rejects all that waits with an AbortError. @returns {number} how many tasks that were */
  cancelQueued() {
    return this.#phase === 'ended' ? 0 : bound.cancelWaiting(this.#handle)
  }

  // ---- ending ----------------------------------------------------------------------------------

  /**
   * @param {any} [options]
   * @returns {Promise<void>}
   */
  close(options) {
    try {
      if (closeOptions(options).force) return this.destroy()
    } catch (error) {
      return Promise.reject(error)
    }
    if (this.#closed === undefined) {
      this.#beginClosing()
      if (this.#pending === 0) this.#shutDown()
    }
    return /** @type {Promise<void>} */ (this.#closed)
  }

  /** @returns {Promise<void>} */
  destroy() {
    if (this.#closed === undefined) this.#beginClosing()
    if (this.#phase !== 'ended') {
      this.#shut = true
      bound.destroyPool(this.#handle)
      this.#isolates.terminateAll()
    }
    return /** @type {Promise<void>} */ (this.#closed)
  }

  #beginClosing() {
    // What waits is to end too.
    this.resume()
    this.#phase = 'closing'
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    clearInterval(this.#reaper)
    hold()
  }

  #shutDown() {
    if (this.#shut) return
    this.#shut = true
    bound.closePool(this.#handle)
    this.#isolates.expectEnd()
  }

  #finish() {
    if (
      this.#phase !== 'closing' ||
      !this.#shut ||
      this.#lanes !== 3 ||
      this.#isolates.all.size > 0 ||
      this.#pending > 0
    )
      return
    this.#lastStats = this.stats()
    this.#phase = 'ended'
    pools.delete(this.#uid)
    bound.releasePool(this.#handle)
    release()
    this.#emit('close')
    this.#resolveClosed?.()
  }

  // ---- readings --------------------------------------------------------------------------------

  stats() {
    if (this.#lastStats !== undefined) return this.#lastStats
    const { workers, queued, running, ...rest } = JSON.parse(bound.stats(this.#handle))
    return {
      workers,
      busy: workers.filter((/** @type {any} */ worker) => worker.state === 'busy').length,
      idle: workers.filter((/** @type {any} */ worker) => worker.state === 'idle').length,
      queued,
      running,
      ...rest
    }
  }

  get options() {
    return this.#options
  }

  get paused() {
    return this.#paused
  }

  /** Whether tasks wait for a worker: the moment for a producer to wait for 'drain'. */
  get needsDrain() {
    return this.#waited
  }

  get closed() {
    return this.#phase !== 'open'
  }

  /** @returns {Promise<void>} */
  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close()
  }

  static move = move
}

/** As the tutorials' hand-written pools: a number of workers, and their script. */
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
}

/**
 * The input, with what the caller hands over moved out of its hands.
 * @param {any} input
 * @param {any[]} transferList
 */
function taken(input, transferList) {
  return structuredClone(input, { transfer: transferList })
}

/**
 * `{ filename, name? }` and nothing else.
 * @param {any} task
 */
function isScriptTask(task) {
  return (
    task !== null &&
    typeof task === 'object' &&
    Object.hasOwn(task, 'filename') &&
    Object.keys(task).every((key) => key === 'filename' || (key === 'name' && typeof task.name === 'string'))
  )
}

/**
 * @param {any} extra
 * @param {Settings} settings
 */
function submitWith(extra, settings) {
  const shared = settings.counters
  if (shared === undefined) bound.submitWith(extra, settings.params)
  else bound.submitWith(extra, settings.params, shared.view, shared.names.join('\0'))
}

module.exports = { Pool, WorkerPool }
