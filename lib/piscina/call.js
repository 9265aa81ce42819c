'use strict'

// One call of `run`: what queues and load balancers of the user's see of it, and how its promise is
// settled in the asynchronous context of the call.

const { AsyncResource } = require('node:async_hooks')
const { isMoved, unwrap } = require('../payload/move')
const { queueOptionsSymbol } = require('./queues')

/**
 * How a task is to be run.
 * @typedef {object} How
 * @property {any} filename null if there is none
 * @property {string} name
 * @property {any} signal
 * @property {any[] | undefined} transferList
 */

let calls = 0

const nothing = () => {}
/** @type {(value: any) => void} */
let resolve = nothing
/** @type {(error: any) => void} */
let reject = nothing
/** One executor for all promises: no closure a call. */
function capture(/** @type {any} */ a, /** @type {any} */ b) {
  resolve = a
  reject = b
}

class Call extends AsyncResource {
  /** The thread that has it, where the threads are chosen here. @type {any} */
  thread = null
  started = 0
  settled = false
  #resolve
  #reject

  /**
   * @param {any} task the input
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
    return this.task?.[queueOptionsSymbol] ?? null
  }

  get isAbortable() {
    return this.signal !== null
  }

  /** What a load balancer sees. */
  get interface() {
    const { taskId, filename, name, created, isAbortable } = this
    return { taskId, filename, name, created, isAbortable, [queueOptionsSymbol]: this[queueOptionsSymbol] }
  }

  /**
   * The first word counts.
   * @param {boolean} failed
   * @param {any} value
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
