'use strict'

// piscina's interface over the pool. A worker loads only the parts that scripts use.

const { EventEmitterAsyncResource } = require('node:events')
const { isMainThread, workerData } = require('node:worker_threads')
const { later } = require('../later')
const { soon } = require('../native/environment')
const { context } = require('../worker/context')
const { isMoved, isTransferable, mark, move, transferableSymbol, valueSymbol } = require('../payload/move')
const { ArrayTaskQueue, FixedQueue, queueOptionsSymbol } = require('./queues')

/** The modules that only a pool needs, once there is one. @type {ReturnType<typeof loadMore>} */
let more

function loadMore() {
  return {
    ...require('./options'),
    ...require('./histogram'),
    ...require('./errors'),
    ...require('./call'),
    ...require('../pool/task/abort'),
    ...require('../pool/task/targets'),
    ...require('../pool/task/bounded')
  }
}

/** The version of piscina whose interface this is. */
const VERSION = '5.3.2'

/** @typedef {InstanceType<typeof import('../pool/task/targets').Target>} Target */
/** @typedef {import('./types').Options} Options */

class Piscina extends EventEmitterAsyncResource {
  #options
  /** How a task without options is run. */
  #how
  #way
  #histogram
  /** @type {import('../pool/task/bounded').Bounded<string, Target>} */
  #targets
  /** The target of `run` without options. @type {Target | undefined} */
  #target
  #began = performance.now()
  #capacity
  #pending = 0
  #completed = 0
  #needsDrain = false
  /** @type {Promise<void> | undefined} */
  #closed

  /** @param {import('../../piscina').Options} [options] */
  constructor(options = {}) {
    super({ name: 'Piscina' })
    more ??= loadMore()
    this.#options = more.fillOptions(options)
    this.#targets = new more.Bounded()
    this.#how = Object.freeze(runOptions({}, this.#options))
    const { maxThreads, concurrentTasksPerWorker, recordTiming } = this.#options
    this.#capacity = maxThreads * concurrentTasksPerWorker
    const Way = choosesItself(this.#options, options) ? require('./dispatched').Dispatched : require('./shared').Shared
    this.#way = new Way(this.#options, {
      emit: (event, ...args) => void this.emit(event, ...args),
      complain: (error) => this.#complain(error),
      done: (call, failed, value) => this.#done(call, failed, value)
    })
    this.#histogram = more.histogramOf(recordTiming ? this.#way.timing : undefined)
  }

  /**
   * @param {unknown} task
   * @param {unknown} [options]
   * @returns {Promise<unknown>}
   */
  run(task, options) {
    try {
      return this.#submit(task, options === undefined ? this.#how : runOptions(options, this.#options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * @param {unknown} task
   * @param {import('./call').How} how
   */
  #submit(task, how) {
    if (how.filename === null) throw more.noFilename()
    if (this.#closed !== undefined) throw new more.AbortError('queue is being terminated')
    const abort = more.abortOf(how.signal ?? undefined)
    if (abort !== undefined) throw new more.AbortError(abort.reason)
    const target = (how === this.#how ? this.#target : undefined) ?? this.#targetOf(how)
    const call = new more.Call(task, how, target, this.asyncId)
    this.#pending++
    try {
      this.#way.submit(call)
    } catch (error) {
      this.#done(call, true, error)
    }
    if (this.#pending >= this.#capacity && !this.#needsDrain) {
      this.#needsDrain = true
      soon(() => this.emit('needsDrain'))
    }
    return call.promise
  }

  /** @param {import('./call').How} how */
  #targetOf(how) {
    const { filename, name } = how
    const key = `${filename}\0${name}`
    let target = this.#targets.get(key)
    if (target === undefined) {
      target = more.scriptTarget(more.scriptUrl(filename, 'filename'), name === 'default' ? undefined : name)
      this.#targets.add(key, target, key.length)
    }
    if (how === this.#how) this.#target = target
    return target
  }

  /**
   * @param {InstanceType<typeof import('./call').Call>} call
   * @param {boolean} failed
   * @param {unknown} value
   */
  #done(call, failed, value) {
    if (!call.settle(failed, value)) return
    this.#completed++
    this.#pending--
    if (this.#needsDrain && this.#pending < this.#capacity) {
      this.#needsDrain = false
      soon(() => this.emit('drain'))
    }
  }

  /** @param {unknown} error that no task is to blame for */
  #complain(error) {
    if (this.listenerCount('error') > 0) this.emit('error', error)
    else process.emitWarning(error instanceof Error ? (error.stack ?? String(error)) : String(error), 'RspoolWarning')
  }

  /**
   * @param {{ force?: unknown } | null} [options]
   * @returns {Promise<void>}
   */
  async close(options = {}) {
    if (options === null || typeof options !== 'object') throw new TypeError('options must be an object')
    const force = Object.hasOwn(options, 'force') ? options.force : undefined
    if (force !== undefined && typeof force !== 'boolean') throw new TypeError('force argument must be a boolean')
    this.#closed ??= this.#close(force ?? false)
    return this.#closed
  }

  /** @param {boolean} force */
  async #close(force) {
    const { closeTimeout } = this.#options
    const tooLate = () => {
      this.#complain(more.closeTimedOut())
      this.#way.destroy()
    }
    const cancel = later(closeTimeout, tooLate, { ref: false })
    try {
      await this.#way.close(force)
    } finally {
      cancel()
      this.emit('close')
    }
  }

  /** @returns {Promise<void>} */
  async destroy() {
    const ended = this.#way.destroy()
    this.#closed ??= ended
    await ended
  }

  [Symbol.dispose ?? Symbol.for('nodejs.dispose')]() {
    this.close()
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close()
  }

  get maxThreads() {
    return this.#options.maxThreads
  }

  get minThreads() {
    return this.#options.minThreads
  }

  get options() {
    return this.#options
  }

  get threads() {
    return this.#way.threads
  }

  get idleThreads() {
    return this.#way.idleThreads
  }

  get queueSize() {
    return this.#way.queueSize
  }

  get completed() {
    return this.#completed
  }

  get needsDrain() {
    return this.#needsDrain
  }

  get histogram() {
    return this.#histogram
  }

  get duration() {
    return performance.now() - this.#began
  }

  get utilization() {
    if (!this.#options.recordTiming) return 0
    const { count, mean } = this.#way.timing.run
    return count === 0 ? 0 : (mean * count) / (this.duration * this.#options.maxThreads)
  }
}

/**
 * @template T
 * @param {T} value
 * @returns the value, marked as moved
 */
function moved(value) {
  if (!isTransferable(value)) return move(value)
  // The marked object names the part that is moved.
  if (!isMoved(value)) mark(value)
  return value
}

/**
 * True if the user supplies the queue or the balancer; the scheduler then cannot choose.
 * @param {Options} options
 * @param {object} given
 */
function choosesItself({ loadBalancer, taskQueue, concurrentTasksPerWorker, workerHistogram }, given) {
  const isPlain = [FixedQueue, ArrayTaskQueue].some((Queue) => Object.getPrototypeOf(taskQueue) === Queue.prototype)
  return (
    loadBalancer !== undefined ||
    concurrentTasksPerWorker > 1 ||
    workerHistogram ||
    (Object.hasOwn(given, 'taskQueue') && !(isPlain && taskQueue.size === 0))
  )
}

/**
 * @param {unknown} given
 * @param {Options} defaults
 * @returns {import('./call').How}
 */
function runOptions(given, defaults) {
  if (given === null || typeof given !== 'object') throw new TypeError('options must be an object')
  const own = /** @type {Partial<import('./types').How>} */ (Object.assign(Object.create(null), given))
  const { transferList, filename, name, signal } = own
  if (transferList !== undefined && !Array.isArray(transferList))
    throw new TypeError('transferList argument must be an Array')
  for (const [key, value] of [
    ['filename', filename],
    ['name', name]
  ]) {
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw new TypeError(`${key} argument must be a string`)
  }
  if (signal !== undefined && typeof signal !== 'object') throw new TypeError('signal argument must be an object')
  return {
    filename: filename ?? defaults.filename,
    name: name ?? defaults.name,
    signal: signal ?? null,
    transferList
  }
}

module.exports = Piscina
// Node.js finds the names for `import` in these lines.
module.exports.Piscina = Piscina
module.exports.ArrayTaskQueue = ArrayTaskQueue
module.exports.FixedQueue = FixedQueue
module.exports.isWorkerThread = context.inWorker
module.exports.move = moved
module.exports.queueOptionsSymbol = queueOptionsSymbol
module.exports.transferableSymbol = transferableSymbol
module.exports.valueSymbol = valueSymbol
module.exports.version = VERSION
module.exports.workerData = isMainThread ? undefined : workerData
