'use strict'

// One isolate of a script lane, as its owner sees it: the thread, the port to it, and its last words. Rust measures how
// long it takes to start and to end (src/scheduler/state/alarms.rs).

const { Worker, MessageChannel, receiveMessageOnPort } = require('node:worker_threads')
const { types } = require('node:util')
const { loadAtomic } = require('../../native/primordials')
const { PORT_MESSAGE } = require('../../payload/port')
const { describe, revive } = require('../../payload/thrown')
const { BOOTSTRAP } = require('../../worker/files')
const { Prefixed } = require('./prefixed')
const { workerOptions, needsWorkingDirectory } = require('./worker-options')

const OUTPUTS = /** @type {const} */ (['stdout', 'stderr'])

/**
 * The part of the pool that an isolate needs.
 * @typedef {object} Owner
 * @property {number} uid
 * @property {import('../options/pool-options').ResolvedOptions} options
 * @property {(event: string, ...args: unknown[]) => void} emit
 * @property {(error: unknown) => void} complain
 */

class Isolate {
  // A property that somebody adds to Object.prototype must not appear as a field.
  static {
    Object.setPrototypeOf(this.prototype, null)
  }

  #options
  ready = false
  /** The error that it left uncaught. @type {unknown} */
  error
  failed = false
  /** Whether it was terminated from here. */
  ending = false
  /** Whether a result of it may wait until its output has been read. */
  holds = false
  /** The error that ended it, as it has told. @type {import('../../payload/thrown').Description | undefined} */
  fatal
  /** The exit code that it has told. */
  exitCode = 1
  /** How much of its output has not been read here. */
  unread = new Int32Array(new SharedArrayBuffer(4))
  /** Whether it no longer runs. */
  gone = false
  /** Whether the scheduler knows that it no longer runs. */
  left = false
  /** The tasks that have ended, but whose values have not come. @type {Set<InstanceType<typeof import('../task/task').Task>>} */
  owed = new Set()
  /**
   * The nested tasks that its tasks wait for, by the isolate's numbers.
   * @type {Map<number, InstanceType<typeof import('./nested').NestedTask>>}
   */
  nested = new Map()

  /**
   * Starts it.
   * @param {number} id the scheduler's
   * @param {number} number the lowest that no living isolate of the pool has
   * @param {Owner} owner
   * @param {(from: Isolate, message: import('../../payload/messages').FromIsolate) => void} received takes the messages of its
   *   port
   */
  constructor(id, number, owner, received) {
    const { options } = owner
    needsWorkingDirectory()
    const given = workerOptions(options, number)
    const { port1, port2 } = new MessageChannel()
    this.id = id
    this.number = number
    this.port = port1
    this.#options = options
    try {
      this.worker = new Worker(BOOTSTRAP, given)
    } catch (error) {
      port1.close()
      throw error
    }
    /** Kept here, since a worker that has ended forgets its id. */
    this.threadId = this.worker.threadId
    this.#listen(owner, received)
    const flags = new Int32Array(new SharedArrayBuffer(4 * options.concurrentTasksPerWorker))
    const { filename, name, concurrentTasksPerWorker: concurrency, outputFirst } = options
    const { niceIncrement = 0, pin = false } = options
    const recycle =
      options.recycle?.heap !== undefined || options.recycle?.rss !== undefined ? options.recycle : undefined
    const settings = { filename, name, concurrency, outputFirst, niceIncrement, pin, recycle }
    const { unread } = this
    this.worker.postMessage({ uid: owner.uid, id, number, port: port2, flags, unread, ...settings }, [port2])
    // A task in flight keeps the process alive; an isolate does not.
    this.port.unref()
    this.worker.unref()
  }

  /**
   * @param {Owner} owner
   * @param {(from: Isolate, message: import('../../payload/messages').FromIsolate) => void} received
   */
  #listen(owner, received) {
    const { worker } = this
    this.port.on('message', (message) => received(this, message))
    worker.on('message', (message) => owner.emit('message', message))
    worker.on('messageerror', (error) => owner.complain(error))
    worker.on('error', (error) => {
      // Node may give an object that only looks like an error.
      this.fails(types.isNativeError(error) ? error : revive(describe(error)))
    })
    for (const name of OUTPUTS) {
      if (this.#options[name] === 'ignore') this.#redirect(name, () => {})
      else if (this.#options[name] === 'pipe') this.#redirect(name, (chunk) => owner.emit(name, chunk, this.known))
      else if (this.#options.outputPrefix !== undefined) this.#prefix(name)
    }
  }

  /** The argument that listeners get. */
  get known() {
    return { id: this.id, number: this.number, threadId: this.threadId }
  }

  /** Whether some of its output has not been read here yet. */
  get isWriting() {
    return loadAtomic(this.unread, 0) !== 0
  }

  /**
   * Takes its output in place of the process. With `stdout: true` a reader would keep the process alive; with an output
   * that Node.js reads itself it does not.
   * @param {'stdout' | 'stderr'} name
   * @param {(chunk: Buffer) => void} take
   */
  #redirect(name, take) {
    const output = this.worker[name]
    output.unpipe(process[name])
    output.on('data', take).resume()
  }

  /** @param {'stdout' | 'stderr'} name */
  #prefix(name) {
    const { outputPrefix, label } = this.#options
    const prefix = outputPrefix === true ? `[${label} ${this.number}] ` : /** @type {string} */ (outputPrefix)
    const lines = new Prefixed(process[name], prefix)
    this.#redirect(name, (chunk) => lines.write(chunk))
    this.worker.on('exit', () => lines.end())
  }

  /**
   * @param {import('../../payload/messages').ToIsolate} message
   * @param {import('node:worker_threads').Transferable[]} [transferList]
   */
  post(message, transferList) {
    this.port.postMessage(message, transferList)
  }

  /** Its output is not being read now, so its results must not wait for that. */
  handOver() {
    if (!this.holds) return
    this.holds = false
    this.post([PORT_MESSAGE.HAND_OVER])
  }

  /** The next message that has come, before the loop delivers it. @returns {{ message: import('../../payload/messages').FromIsolate } | undefined} */
  next() {
    return receiveMessageOnPort(this.port)
  }

  /** @param {unknown} error that ends it */
  fails(error) {
    this.failed = true
    this.error = error
  }

  /** It took too long to start: its script may be in an endless loop. */
  startedTooLate() {
    const { startTimeout } = this.#options
    this.fails(new Error(`the script had not been loaded and set up after ${startTimeout} ms, its 'startTimeout'`))
    this.worker.terminate()
  }

  terminate() {
    this.ending = true
    this.worker.terminate()
  }
}

module.exports = { Isolate, BOOTSTRAP }
