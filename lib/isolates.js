'use strict'

// The owner's side of a script lane: starts isolates, sees them end, and carries what only a port can.
// The isolates take their tasks from the scheduler by themselves.

const { bound, drain, notify, isBlocked, hold, release } = require('./environment')
const { revive } = require('./payload/thrown')
const { PoolClosedError, WorkerExitError, WorkerStartError } = require('./errors')
const { ask, told } = require('./observe/readings')
const { Isolate } = require('./isolate')
const { PoolScope } = require('./observe/watch')
const { PORT_MESSAGE } = require('./payload/port')
const { SCRIPT } = require('./targets')

/** Milliseconds before an isolate is started again after the first failure to start; doubled each time. */
const FIRST_BACKOFF = 100
const LONGEST_BACKOFF = 5000
/** Milliseconds that an isolate gets to begin while its owner's loop is blocked and does not see it exit. */
const BEGIN_PATIENCE = 10_000
/** Milliseconds for which output is waited for, and for what a closed pool still has. */
const RETIRE_GRACE = 1000

/** @typedef {InstanceType<typeof import('./isolate').Isolate>} OneIsolate */

/**
 * What the lane needs of its pool.
 * @typedef {object} Owner
 * @property {number} handle
 * @property {number} uid
 * @property {any} options
 * @property {() => boolean} isOpen
 * @property {(ticket: number, generation: number) => any} taskOf the call in flight that this names
 * @property {InstanceType<typeof import('./submitter').Submitter>} submitter
 * @property {(event: string, ...args: any[]) => void} emit
 * @property {(error: unknown) => void} complain
 * @property {() => void} ended an isolate has ended
 */

/** Those that have isolates. @type {Set<Isolates>} */
const started = new Set()

/** The process has nothing left to do, but what workers wrote may be on its way. */
function beforeExit() {
  for (const isolates of started) isolates.flushOutput()
}

/** Loaded with its first use. */
const nested = () => require('./nested')

class Isolates {
  /** @param {Owner} owner */
  constructor(owner) {
    this.owner = owner
    /** Isolates outlive the calls that they are started for: their events belong to the pool. */
    this.scope = new PoolScope()
    /** @type {Map<number, OneIsolate>} */
    this.all = new Map()
    /** Those that run no more, and whose `exit` event has not come. @type {Set<OneIsolate>} */
    this.ending = new Set()
    /** Why the isolate that last had this id ended. @type {Map<number, unknown>} */
    this.causes = new Map()
    /** How many tasks were told why their isolate ended. */
    this.told = 0
    this.failures = 0
    /** How many tasks had ended when output was last waited for. */
    this.flushed = 0
    /** @type {unknown} */
    this.startError = undefined
    /** @type {NodeJS.Timeout | undefined} */
    this.backoff = undefined
    /** When the next may be started, after a failure. */
    this.retryAt = Infinity
    /** Who waits for so many isolates. @type {{ least: number, resolve: () => void, reject: (error: Error) => void }[]} */
    this.expecting = []
  }

  /** Starts the isolates that the minimum lacks. */
  startMinimum(least = 0) {
    const ids = bound.reserveMinimum(this.owner.handle, SCRIPT, least)
    if (ids !== '') for (const id of ids.split(',')) this.start(Number(id))
  }

  /** @param {number} id */
  start(id) {
    if (this.all.has(id)) return
    this.scope.runInAsyncScope(this.#start, this, id)
  }

  /** @param {number} id */
  #start(id) {
    /** @type {OneIsolate} */
    let isolate
    try {
      isolate = new Isolate(id, this.owner, (from, message) => this.#received(from, message))
    } catch (error) {
      this.#failed(error)
      this.#leave(id)
      return
    }
    this.all.set(id, isolate)
    if (started.size === 0) process.on('beforeExit', beforeExit)
    started.add(this)
    isolate.worker.on('exit', (code) => this.#exited(isolate, code))
  }

  /**
   * Resolves when so many isolates are ready, which are started if there are none on their way. The process is
   * kept until then.
   * @param {number} least
   * @returns {Promise<void>}
   */
  async whenReady(least) {
    if (this.#ready() >= least) return
    hold()
    try {
      this.startMinimum(least)
      await new Promise((resolve, reject) => this.expecting.push({ least, resolve: () => resolve(undefined), reject }))
    } finally {
      release()
    }
  }

  #ready() {
    return bound.readyWorkers(this.owner.handle, SCRIPT)
  }

  #tellExpecting() {
    if (this.expecting.length === 0) return
    const ready = this.#ready()
    const waiting = this.expecting
    this.expecting = waiting.filter(({ least }) => least > ready)
    for (const { least, resolve } of waiting) if (least <= ready) resolve()
  }

  #disappoint(/** @type {Error} */ error) {
    for (const { reject } of this.expecting.splice(0)) reject(error)
  }

  /** @param {number} id */
  terminate(id) {
    this.all.get(id)?.terminate()
  }

  terminateAll() {
    clearTimeout(this.backoff)
    this.#disappoint(new PoolClosedError('The pool was closed before its workers were ready'))
    for (const id of this.all.keys()) this.terminate(id)
  }

  /** Retired isolates end by themselves, unless something of theirs keeps them. */
  expectEnd() {
    clearTimeout(this.backoff)
    this.#disappoint(new PoolClosedError('The pool was closed before its workers were ready'))
    if (this.all.size > 0) setTimeout(() => this.terminateAll(), RETIRE_GRACE).unref()
  }

  /** Keeps the process until the output of the tasks that have ended is there, if it comes soon. */
  flushOutput() {
    const { completed, failed } = JSON.parse(bound.stats(this.owner.handle))
    if (this.flushed === completed + failed) return
    this.flushed = completed + failed
    const waiting = [...this.all.values()].filter(({ ready }) => ready)
    for (const { port } of waiting) {
      port.ref()
      port.postMessage([PORT_MESSAGE.FLUSH])
    }
    const giveUp = () => {
      for (const { port } of waiting) port.unref()
    }
    setTimeout(giveUp, RETIRE_GRACE).unref()
  }

  /**
   * Sends an input to the worker that has the task.
   * @param {number} id
   * @param {number} slot
   * @param {number} generation
   * @param {number} target
   * @param {number} ticket
   * @param {unknown} input
   * @param {any[]} transferList
   * @param {boolean} direct whether the worker does not know of the task yet
   */
  send(id, slot, generation, target, ticket, input, transferList, direct) {
    // The scheduler's word that it is to be started may not have been read yet.
    if (direct) this.start(id)
    this.all.get(id)?.post([PORT_MESSAGE.INPUT, slot, generation, target, ticket, input, direct], transferList)
  }

  /**
   * The value that a worker sent through its port for a task.
   * @param {number} id
   * @param {number} generation
   */
  receive(id, generation) {
    const isolate = this.all.get(id)
    if (isolate === undefined) throw new WorkerExitError('The worker ended before its result arrived', 0)
    while (!isolate.results.has(generation)) {
      const next = isolate.next()
      if (next === undefined) throw new WorkerExitError('The worker ended before its result arrived', 0)
      this.#received(isolate, next.message)
    }
    const value = isolate.results.get(generation)
    isolate.results.delete(generation)
    return value
  }

  /** Takes in what has come through the ports already. */
  flush() {
    for (const isolate of this.all.values()) this.#flush(isolate)
  }

  /** @param {OneIsolate} isolate */
  #flush(isolate) {
    for (let next; (next = isolate.next()) !== undefined; ) this.#received(isolate, next.message)
  }

  /** @param {number} id */
  whyGone(id) {
    this.told++
    return this.causes.get(id)
  }

  whyNotStarted() {
    const cause = this.startError
    const message =
      cause instanceof Error || typeof (/** @type {any} */ (cause)?.message) === 'string'
        ? /** @type {any} */ (cause).message
        : String(cause)
    return new WorkerStartError(`No worker could be started: ${message}`, { cause })
  }

  /**
   * @param {OneIsolate} isolate
   * @param {any[]} message
   */
  #received(isolate, message) {
    switch (message[0]) {
      case PORT_MESSAGE.READY:
        isolate.isReady()
        this.failures = 0
        this.#tellExpecting()
        ask(isolate)
        this.owner.emit('workerCreate', { id: isolate.id, threadId: isolate.threadId })
        return
      case PORT_MESSAGE.RETIRED:
        isolate.retired(message[1])
        return
      case PORT_MESSAGE.HEAP:
        told(isolate, message[1], message[2])
        return
      case PORT_MESSAGE.FLUSHED:
        isolate.port.unref()
        return
      case PORT_MESSAGE.RESULT:
        // Of a task that was given up nobody takes the result, and its ticket is used again.
        if (this.owner.taskOf(message[1], message[2]) !== undefined) isolate.results.set(message[2], message[3])
        return
      case PORT_MESSAGE.PROGRESS: {
        const onProgress = this.owner.taskOf(message[1], message[2])?.onProgress
        if (onProgress !== undefined) notify(() => onProgress(message[3]))
        return
      }
      case PORT_MESSAGE.ITEMS:
        return this.#link(isolate, message)
      case PORT_MESSAGE.TAKE:
        // It pulls an iterable of the user's.
        return isBlocked() ? notify(() => this.#link(isolate, message)) : this.#link(isolate, message)
      case PORT_MESSAGE.FATAL:
        isolate.fatal = message[1]
        return
      case PORT_MESSAGE.EXIT:
        isolate.exitCode = message[1]
        return
      case PORT_MESSAGE.NESTED:
        return nested().submit(this.owner, this.owner.taskOf(message[1], message[2]), isolate, message)
      case PORT_MESSAGE.NESTED_ABORT:
        return nested().abort(isolate, message)
      case PORT_MESSAGE.WANT: {
        const [, ticket, slot, generation, target] = message
        const held = this.owner.taskOf(ticket, generation)?.held
        if (held === undefined) isolate.port.postMessage([PORT_MESSAGE.GONE, slot])
        else this.send(isolate.id, slot, generation, target, ticket, held.input, held.list, false)
      }
    }
  }

  /**
   * @param {OneIsolate} isolate
   * @param {any[]} message
   */
  #link({ port }, [kind, ticket, generation, value, slot]) {
    this.owner
      .taskOf(ticket, generation)
      ?.link?.(kind, value, (/** @type {number} */ kind, /** @type {any} */ value, /** @type {any[]} */ list) =>
        port.postMessage([kind, slot, generation, value], list)
      )
  }

  /**
   * @param {OneIsolate} isolate
   * @param {number} exitCode
   */
  #exited(isolate, exitCode) {
    const { id, threadId } = isolate
    isolate.ended()
    // READY may still be on its way, its own and that of who takes its place, and results that are in the
    // outbox have been reached.
    this.flush()
    while (drain() > 0);
    // Before the pool hears that its last worker has gone, and ends.
    this.owner.emit('workerExit', { id, threadId, exitCode })
    if (!isolate.left) {
      isolate.exitCode = exitCode
      this.#left(isolate)
    }
    isolate.port.close()
    this.ending.delete(isolate)
    if (this.all.size + this.ending.size === 0 && started.delete(this) && started.size === 0)
      process.off('beforeExit', beforeExit)
    this.owner.ended()
  }

  /**
   * An isolate runs no more.
   * @param {OneIsolate} isolate
   */
  #left(isolate) {
    const { id, exitCode } = isolate
    isolate.left = true
    const exit = new WorkerExitError(`The worker ended with exit code ${exitCode} while it ran the task`, exitCode)
    if (isolate.nested.size > 0) nested().giveUpAll(isolate.nested.values())
    this.causes.set(id, isolate.failed ? isolate.error : exit)
    if (!isolate.ready && !isolate.ending && this.owner.isOpen())
      this.#failed(
        isolate.failed ? isolate.error : new Error(`The worker ended with exit code ${exitCode} before it was ready`)
      )
    this.all.delete(id)
    this.ending.add(isolate)
    this.#leave(id, isolate)
  }

  // ---- while the owner's loop is blocked -------------------------------------------------------

  /**
   * The scheduler says that an isolate runs no more. The `exit` event says so too, and why, when it can.
   * @param {number} id
   */
  gone(id) {
    const isolate = this.all.get(id)
    if (isolate === undefined) return
    isolate.gone = true
    if (isBlocked()) this.#leftUnseen(isolate)
  }

  /**
   * Reads what an isolate has sent.
   * @param {number} id
   */
  look(id) {
    const isolate = this.all.get(id)
    if (isolate !== undefined) this.#flush(isolate)
  }

  /** Does what events and timers would do. */
  attend() {
    const now = performance.now()
    for (const isolate of this.all.values()) {
      if (isolate.gone) {
        this.#leftUnseen(isolate)
        continue
      }
      if (isolate.ready || isolate.failed) continue
      const age = now - isolate.since
      if (age > BEGIN_PATIENCE && Atomics.load(isolate.begun, 0) === 0) {
        isolate.worker.terminate()
        isolate.fails(
          new Error(
            `The isolate did not begin within ${BEGIN_PATIENCE / 1000} s while the thread that waits for it is blocked`
          )
        )
        this.#leftUnseen(isolate)
      } else if (age > this.owner.options.startTimeout) {
        this.#flush(isolate)
        if (!isolate.ready) isolate.startedTooLate()
      }
    }
    if (now >= this.retryAt) this.#retry()
  }

  /**
   * Why it ended is known by what it said last.
   * @param {OneIsolate} isolate
   */
  #leftUnseen(isolate) {
    this.#flush(isolate)
    while (drain() > 0);
    if (isolate.left) return
    if (!isolate.failed && isolate.fatal !== undefined) isolate.fails(revive(/** @type {any} */ (isolate.fatal)))
    this.#left(isolate)
  }

  /**
   * Tells the scheduler that an isolate has ended, and rejects what it had before its id is used again.
   * @param {number} id
   * @param {OneIsolate} [isolate]
   */
  #leave(id, isolate) {
    const { told } = this
    bound.leave(this.owner.handle, id)
    while (drain() > 0);
    if (isolate?.ready && isolate.failed && this.told === told) this.owner.complain(isolate.error)
    if (!this.owner.isOpen()) return
    if (this.failures > 0 && bound.readyWorkers(this.owner.handle, SCRIPT) === 0) {
      bound.failWaiting(this.owner.handle, SCRIPT)
    }
    if (this.owner.options.filename !== undefined && this.failures === 0) this.startMinimum()
  }

  /**
   * An isolate could not be started: the next one waits, longer each time.
   * @param {unknown} error
   */
  #failed(error) {
    this.startError = error
    this.failures++
    this.#disappoint(this.whyNotStarted())
    bound.hold(this.owner.handle, SCRIPT, true)
    clearTimeout(this.backoff)
    const delay = Math.min(FIRST_BACKOFF * 2 ** (this.failures - 1), LONGEST_BACKOFF)
    this.retryAt = performance.now() + delay
    this.backoff = setTimeout(() => this.#retry(), delay).unref()
  }

  #retry() {
    clearTimeout(this.backoff)
    this.retryAt = Infinity
    if (!this.owner.isOpen()) return
    bound.hold(this.owner.handle, SCRIPT, false)
    for (const { least } of this.expecting) this.startMinimum(least)
  }
}

module.exports = { Isolates }
