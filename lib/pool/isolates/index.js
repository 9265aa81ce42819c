'use strict'

// The owner's side of a script lane: starts isolates, sends them the inputs that only a port can carry, and handles
// their end. Isolates take their tasks from the scheduler by themselves.

const { drain, isBlocked } = require('../../native/drain')
const { hold, later, release } = require('../../native/environment')
const { REMINDER } = require('../../native/wire')
const { WorkerExitError } = require('../../errors')
const { messageOf, tell, whyEnded } = require('../observe/debug')
const { ask } = require('../observe/readings')
const { PORT_MESSAGE } = require('../../payload/port')
const { revive } = require('../../payload/thrown')
const { Inbox } = require('./inbox')
const { Isolate } = require('./isolate')
const { Stalls } = require('./stalls')
const { Starts } = require('./starts')

/** Milliseconds to wait for output. */
const OUTPUT_PATIENCE = 1000

/** @typedef {InstanceType<typeof import('./isolate').Isolate>} OneIsolate */

/**
 * The part of the pool that the lane needs.
 * @typedef {object} Owner
 * @property {import('../../native/addon').NativePool} native
 * @property {number} uid
 * @property {import('../options/pool-options').ResolvedOptions} options
 * @property {() => boolean} isOpen
 * @property {(ticket: number, generation: number) => InstanceType<typeof import('../task/task').Task> | undefined} taskOf the call in flight that this names
 * @property {InstanceType<typeof import('../task/submitter').Submitter>} submitter
 * @property {(event: string, ...args: unknown[]) => void} emit
 * @property {(error: unknown, what?: string) => void} complain
 * @property {(number: number) => void} notFound an isolate has not found the function of this number
 * @property {() => void} ended an isolate has ended
 */

/** The lanes that have isolates. @type {Set<Isolates>} */
const started = new Set()

/** The process has nothing left to do, but output of workers may be on its way. */
function beforeExit() {
  for (const isolates of started) isolates.flushOutput()
}

class Isolates {
  // A property that somebody adds to Object.prototype must not appear as a field.
  static {
    Object.setPrototypeOf(this.prototype, null)
  }

  /**
   * @param {Owner} owner
   * @param {import('node:async_hooks').AsyncResource} scope in which they are started
   */
  constructor(owner, scope) {
    this.owner = owner
    this.scope = scope
    /** @type {Map<number, OneIsolate>} */
    this.all = new Map()
    /** The isolates that no longer run, but whose `exit` event has not come. @type {Set<OneIsolate>} */
    this.ending = new Set()
    /** Why the isolate that last had this id ended. @type {Map<number, unknown>} */
    this.causes = new Map()
    /** The numbers of the living isolates. @type {Set<number>} */
    this.numbers = new Set()
    /**
     * The callers that wait until isolates are replaced.
     * @type {Set<{ old: Set<OneIsolate>, resolve: () => void, reject: (error: Error) => void }>}
     */
    this.recycling = new Set()
    /** How many tasks have rejected because no isolate could be started. */
    this.asked = 0
    /** How many tasks have rejected because their isolate ended. */
    this.told = 0
    /** The isolates whose output is awaited. @type {OneIsolate[]} */
    this.flushing = []
    const { native } = owner
    this.stalls = new Stalls(native, owner)
    this.starts = new Starts({ native, start: (id) => this.start(id), countReady: () => this.#countReady() })
    this.inbox = new Inbox(owner)
  }

  /** @param {number} id */
  start(id) {
    if (this.all.has(id)) return
    this.scope.runInAsyncScope(this.#start, this, id)
  }

  /** @param {number} id */
  #start(id) {
    const number = this.#freeNumber()
    this.numbers.add(number)
    /** @type {OneIsolate} */
    let isolate
    try {
      isolate = new Isolate(id, number, this.owner, (from, message) => this.inbox.take(from, message))
    } catch (error) {
      tell(this.owner.options, { number }, `could not be started: ${messageOf(error)}`)
      this.numbers.delete(number)
      this.#notStarted(error)
      this.#leave(id)
      return
    }
    tell(this.owner.options, isolate, 'starts')
    this.all.set(id, isolate)
    this.owner.native.beginStart(id)
    if (started.size === 0) process.on('beforeExit', beforeExit)
    started.add(this)
    isolate.worker.on('exit', (code) => this.#exited(isolate, code))
  }

  /** @param {unknown} error */
  #notStarted(error) {
    if (!this.starts.failed(error)) return
    const { asked } = this
    // Calls made in this turn report the error themselves.
    later(() => {
      if (!this.owner.isOpen() || this.starts.isAwaited) return
      if (this.asked === asked && this.owner.native.load()[0] === 0)
        this.owner.complain(this.starts.why(), 'could not be started')
    })
  }

  /**
   * The scheduler says that an isolate has started.
   * @param {number} id
   */
  ready(id) {
    const isolate = this.all.get(id)
    if (isolate === undefined) return
    tell(this.owner.options, isolate, 'is ready')
    isolate.ready = true
    this.owner.emit('workerCreate', isolate.known)
    this.starts.succeeded()
    ask(isolate)
  }

  /** How many isolates are known to be ready: the event of each has been emitted. */
  #countReady() {
    let count = 0
    for (const { ready } of this.all.values()) if (ready) count++
    return count
  }

  /**
   * Has all isolates replaced, and resolves when the old ones have ended. If a successor cannot be started, this
   * rejects; the start is tried again all the same.
   * @returns {Promise<void>}
   */
  async recycle() {
    if (this.all.size === 0) return
    this.owner.native.wearAllOut()
    hold()
    try {
      await new Promise((resolve, reject) => {
        const recycling = { old: new Set(this.all.values()), resolve: () => resolve(undefined), reject }
        this.recycling.add(recycling)
        this.starts.watch(recycling)
      })
    } finally {
      release()
    }
  }

  /** @param {OneIsolate} isolate that has ended */
  #recycled(isolate) {
    for (const recycling of this.recycling) {
      recycling.old.delete(isolate)
      if (recycling.old.size > 0) continue
      this.recycling.delete(recycling)
      this.starts.unwatch(recycling)
      recycling.resolve()
    }
  }

  /**
   * The scheduler says that an isolate was rung, runs no task and does not come.
   * @param {number} id
   */
  stalled(id) {
    const isolate = this.all.get(id)
    if (isolate !== undefined) this.stalls.found(isolate)
  }

  /**
   * @param {number} id
   * @param {number} [ending] why, as the scheduler says it
   */
  terminate(id, ending = 0) {
    const isolate = this.all.get(id)
    if (isolate === undefined) return
    tell(this.owner.options, isolate, `is being ended: ${whyEnded(ending)}`)
    isolate.terminate()
  }

  terminateAll() {
    this.starts.stop()
    for (const id of this.all.keys()) this.terminate(id)
  }

  #freeNumber() {
    for (let number = 1; ; number++) if (!this.numbers.has(number)) return number
  }

  /** Keeps the process alive until the output of isolates has arrived, if it comes soon. */
  flushOutput() {
    this.flushing = [...this.all.values()].filter(({ ready, isWriting }) => ready && isWriting)
    for (const { port } of this.flushing) {
      port.ref()
      port.postMessage([PORT_MESSAGE.FLUSH])
    }
    if (this.flushing.length > 0) this.owner.native.remind(REMINDER.OUTPUT, OUTPUT_PATIENCE)
  }

  /** Waits no longer for output that has not come by now. */
  flushedEnough() {
    for (const { port } of this.flushing.splice(0)) port.unref()
  }

  /**
   * Sends an input to the worker that has the task.
   * @param {number} id
   * @param {number} slot
   * @param {number} generation
   * @param {number} target
   * @param {number} ticket
   * @param {unknown} input
   * @param {import('node:worker_threads').Transferable[]} transferList
   * @param {boolean} direct whether the worker does not know of the task yet
   */
  send(id, slot, generation, target, ticket, input, transferList, direct) {
    // The scheduler's notice to start this isolate may not have been read yet.
    if (direct) this.start(id)
    this.all.get(id)?.post([PORT_MESSAGE.INPUT, slot, generation, target, ticket, input, direct], transferList)
  }

  /**
   * A worker has taken a task whose input is held here. If the input cannot be sent, only this task ends.
   * @param {number} id
   * @param {number} slot
   * @param {number} ticket
   * @param {number} generation
   * @param {number} target
   */
  wanted(id, slot, ticket, generation, target) {
    const isolate = this.all.get(id)
    // An isolate that is not ready is not the one that asked: it has only taken over the id.
    if (!isolate?.ready) return
    const task = this.owner.taskOf(ticket, generation)
    const held = task?.held
    if (task !== undefined && held !== undefined) {
      try {
        this.owner.submitter.sending(id, slot, () =>
          this.send(id, slot, generation, target, ticket, held.input, held.list, false)
        )
        if (held.list.length > 0) task.held = undefined
        return
      } catch (error) {
        if (this.owner.native.cancel(task.key, task.generation)) task.refuse(error)
      }
    }
    isolate.post([PORT_MESSAGE.GONE, slot, generation])
  }

  /**
   * Looks for the value that a worker has sent through its port for a task.
   * @param {InstanceType<typeof import('../task/task').Task>} task
   * @param {number} id
   * @returns whether the value may still come
   */
  lookFor(task, id) {
    const isolate = this.all.get(id)
    if (isolate === undefined || isolate.left) return false
    this.inbox.lookFor(isolate, task)
    if (task.arrived !== undefined) return false
    isolate.owed.add(task)
    return true
  }

  /** Takes in the messages that have come through the ports already. */
  flush() {
    for (const isolate of this.all.values()) {
      this.inbox.flush(isolate)
      // The isolate may have said so before the loop was blocked.
      if (isolate.holds && isBlocked()) isolate.handOver()
    }
  }

  /** @param {number} id */
  whyGone(id) {
    this.told++
    return this.causes.get(id)
  }

  whyNotStarted() {
    this.asked++
    return this.starts.why()
  }

  /**
   * @param {OneIsolate} isolate
   * @param {number} exitCode
   */
  #exited(isolate, exitCode) {
    // Takes in the last messages and results of the isolate.
    this.flush()
    while (drain() > 0);
    // Before the pool hears that its last worker has gone, and ends.
    const failure = isolate.failed ? `: ${messageOf(isolate.error)}` : ''
    tell(this.owner.options, isolate, `has ended with exit code ${exitCode}${failure}`)
    this.owner.emit('workerExit', { ...isolate.known, exitCode })
    if (!isolate.left) {
      isolate.exitCode = exitCode
      this.#left(isolate)
    }
    isolate.port.close()
    this.ending.delete(isolate)
    if (this.recycling.size > 0) this.#recycled(isolate)
    if (this.all.size + this.ending.size === 0 && started.delete(this) && started.size === 0)
      process.off('beforeExit', beforeExit)
    this.owner.ended()
  }

  /**
   * An isolate no longer runs.
   * @param {OneIsolate} isolate
   */
  #left(isolate) {
    const { id, exitCode } = isolate
    isolate.left = true
    this.inbox.giveUp(isolate)
    this.numbers.delete(isolate.number)
    const exit = new WorkerExitError(`The worker ended with exit code ${exitCode} while it ran the task`, exitCode)
    if (isolate.nested.size > 0) require('./nested').giveUpAll(isolate.nested.values())
    this.causes.set(id, isolate.failed ? isolate.error : exit)
    if (!isolate.ready && !isolate.ending && this.owner.isOpen())
      this.#notStarted(
        isolate.failed ? isolate.error : new Error(`The worker ended with exit code ${exitCode} before it was ready`)
      )
    this.all.delete(id)
    this.stalls.gone(isolate)
    this.ending.add(isolate)
    this.#leave(id, isolate)
  }

  // ---- while the owner's loop is blocked -------------------------------------------------------

  /** Takes in what happened before the loop was blocked, and what the loop would have delivered. */
  catchUp() {
    this.flush()
    this.stalls.catchUp()
    for (const isolate of this.all.values()) if (isolate.gone) this.#leftUnseen(isolate)
  }

  /**
   * The scheduler says that an isolate no longer runs. The `exit` event says so too, and gives the reason, once the
   * loop can deliver it.
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
    if (isolate !== undefined) this.inbox.flush(isolate)
  }

  /**
   * The scheduler says that an isolate has not started in time.
   * @param {number} id
   */
  startedTooLate(id) {
    const isolate = this.all.get(id)
    if (isolate !== undefined && !isolate.ready) isolate.startedTooLate()
  }

  /**
   * The scheduler says that the code of an isolate does not run, though it should by now. A blocked loop cannot see the
   * reason.
   * @param {number} id
   */
  notBegun(id) {
    const isolate = this.all.get(id)
    if (isolate === undefined || !isBlocked()) return
    isolate.worker.terminate()
    if (!isolate.failed)
      isolate.fails(new Error('The isolate did not begin in time while the thread that waits for it is blocked'))
    this.#leftUnseen(isolate)
  }

  /**
   * The last message of the isolate says why it ended.
   * @param {OneIsolate} isolate
   */
  #leftUnseen(isolate) {
    this.inbox.flush(isolate)
    while (drain() > 0);
    if (isolate.left) return
    if (!isolate.failed && isolate.fatal !== undefined) isolate.fails(revive(isolate.fatal))
    this.#left(isolate)
  }

  /**
   * Tells the scheduler that an isolate has ended, and rejects its tasks before its id is used again.
   * @param {number} id
   * @param {OneIsolate} [isolate]
   */
  #leave(id, isolate) {
    const { told } = this
    this.owner.native.leave(id)
    while (drain() > 0);
    if (isolate?.ready && isolate.failed && this.told === told) this.owner.complain(isolate.error)
    if (this.owner.isOpen() && this.owner.options.filename !== undefined) this.starts.minimum()
  }
}

module.exports = { Isolates }
