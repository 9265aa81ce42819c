'use strict'

// One call of `run`: its interface for queues and load balancers of the user, and its promise, which settles in the
// asynchronous context of the call.

const { AsyncResource } = require('node:async_hooks')
const { isMoved, unwrap } = require('../payload/move')
const { queueOptionsSymbol } = require('./queues')

/** @typedef {import('./types').How} How */

let calls = 0

const nothing = () => {}
/** @type {(value: unknown) => void} */
let resolve = nothing
/** @type {(error: unknown) => void} */
let reject = nothing
/** One executor for all promises, so that a call makes no closure. */
function capture(/** @type {typeof resolve} */ a, /** @type {typeof reject} */ b) {
  resolve = a
  reject = b
}

class Call extends AsyncResource {
  /** The thread that has it, if this code chooses the threads. @type {InstanceType<typeof import('./thread').Thread> | null} */
  thread = null
  started = 0
  settled = false
  #resolve
  #reject

  /**
   * @param {unknown} task the input
   * @param {How} how
   * @param {InstanceType<typeof import('../pool/task/targets').Target>} target
   * @param {number} triggerAsyncId
   */
  constructor(task, { filename, name, signal, transferList }, target, triggerAsyncId) {
    super('Piscina.Task', { requireManualDestroy: true, triggerAsyncId })
    this.task = isMoved(task) ? unwrap(task) : task
    this.transferList = transferList
    this.filename = filename
    this.name = name
    this.signal = signal
    this.target = target
    this.taskId = calls++
    this.created = performance.now()
    this.promise = new Promise(capture)
    this.#resolve = resolve
    this.#reject = reject
    resolve = reject = nothing
  }

  get [queueOptionsSymbol]() {
    const { task } = this
    return /** @type {{ [queueOptionsSymbol]?: unknown } | null | undefined} */ (task)?.[queueOptionsSymbol] ?? null
  }

  get isAbortable() {
    return this.signal !== null
  }

  /** The task, as a load balancer sees it. */
  get interface() {
    const { taskId, filename, name, created, isAbortable } = this
    return { taskId, filename, name, created, isAbortable, [queueOptionsSymbol]: this[queueOptionsSymbol] }
  }

  /**
   * Settles the call. Only the first outcome counts.
   * @param {boolean} failed
   * @param {unknown} value
   */
  settle(failed, value) {
    if (this.settled) return false
    this.settled = true
    this.runInAsyncScope(failed ? this.#reject : this.#resolve, null, value)
    this.emitDestroy()
    return true
  }
}

module.exports = { Call }
