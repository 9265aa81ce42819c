'use strict'

// The way of a call into the scheduler: encodes its input, takes a ticket, submits, and counts what
// is in flight.

const { bound, cells, numbers, issue, giveBack, calls } = require('../../native/environment')
const { CELL, FORM, LANE, NUMBER, SUBMITTED, TAG } = require('../../native/wire')
const { listen } = require('./abort')
const { AbortError, PoolClosedError, InputTooLargeError, QueueFullError } = require('../../errors')
const { isMoved, unwrap } = require('../../payload/move')
const { PORT, encode, encodeForNative } = require('../../payload/values')
const { Numbers } = require('./numbers')
const { carry } = require('./carry')
const { isHooked, isWatched } = require('../observe/watch')
const { Task } = require('./task')

/** @typedef {InstanceType<typeof import('./targets').Target>} Target */
/** @typedef {InstanceType<typeof import('./settings').Settings>} Settings */

/** Loaded by the first call that is watched. @type {typeof import('../observe/watcher').Watcher | undefined} */
let Watcher

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

class Submitter {
  #pool
  #isolates
  #options
  #watching
  #onDrain
  #onEmpty
  /** @type {import('./task').Home} */
  home
  /** Of the functions that its tasks name. */
  numbers
  /** Whether tasks are taken. */
  open = true
  /** How many tasks are in flight. */
  pending = 0
  /** How many tasks the workers can run at once. */
  capacity
  /** Whether tasks have waited for a worker since there was last room. */
  waited = false

  /**
   * @param {object} pool
   * @param {import('../../native/addon').NativePool} pool.native
   * @param {any} pool.options
   * @param {Target | undefined} pool.main what its `run` calls
   * @param {InstanceType<typeof import('../isolates').Isolates>} pool.isolates
   * @param {import('../observe/watcher').Watching} pool.watching
   * @param {() => void} pool.onDrain nothing waits any more
   * @param {() => void} pool.onEmpty nothing is in flight any more
   */
  constructor({ native, options, main, isolates, watching, onDrain, onEmpty }) {
    this.#pool = native
    this.numbers = new Numbers(native, main)
    this.#isolates = isolates
    this.#watching = watching
    this.#options = options
    this.#onDrain = onDrain
    this.#onEmpty = onEmpty
    this.capacity = options.maxThreads * options.concurrentTasksPerWorker
    this.home = {
      pool: native,
      left: () => this.#left(),
      flush: () => isolates.flush(),
      receive: (worker, generation) => isolates.receive(worker, generation),
      whyGone: (worker) => isolates.whyGone(worker),
      whyNotStarted: () => isolates.whyNotStarted()
    }
  }

  /**
   * @param {Target} target
   * @param {any} input
   * @param {Settings} settings
   * @returns {Promise<any>}
   */
  submit(target, input, settings) {
    const promise = new Promise(capture)
    const task = new Task(this.home, resolve, reject)
    // What has settled is nobody's but the caller's.
    resolve = reject = nothing
    this.submitAs(task, target, input, settings, isHooked(promise))
    return promise
  }

  /**
   * As `submit`, for a task that settles in a way of its own.
   * @param {InstanceType<typeof Task>} task
   * @param {Target} target
   * @param {any} input
   * @param {Settings} settings
   * @param {boolean} hooked whether the promise of the call shows that hooks are in use
   */
  submitAs(task, target, input, settings, hooked) {
    this.#refuse(settings)
    if (isWatched(settings.watched, hooked)) this.#submitWatched(task, target, input, settings)
    else this.#hand(task, target, input, settings)
  }

  /** @param {Settings} settings */
  #refuse({ signal, outer }) {
    // A task that runs may have others run until it has ended.
    if (!this.open && (outer === undefined || this.pending === 0)) throw new PoolClosedError('The pool is closed')
    if (signal?.aborted) throw new AbortError(signal.reason)
  }

  /**
   * @param {InstanceType<typeof Task>} task
   * @param {Target} target
   * @param {any} input
   * @param {Settings} settings
   */
  #submitWatched(task, target, input, settings) {
    Watcher ??= require('../observe/watcher').Watcher
    new Watcher(task, this.#watching, target, settings).call(() => {
      const carried = carry(target, input, settings)
      this.#hand(task, carried.target, carried.input, settings)
    })
  }

  /**
   * @param {InstanceType<typeof Task>} task
   * @param {Target} target
   * @param {any} input
   * @param {Settings} settings
   */
  #hand(task, target, input, settings) {
    const { signal, transferList } = settings
    const native = target.lane === LANE.NATIVE
    let extra
    // Native tasks take a copy of the bytes; what is handed over is taken from the caller all the same.
    if (native)
      extra = encodeForNative(transferList === undefined && !isMoved(input) ? input : taken(input, transferList))
    else extra = transferList === undefined ? encode(input) : PORT
    if (this.#options.maxInputSize !== undefined) refuseLarger(this.#options.maxInputSize, extra)
    task.ticket = issue(task)
    if (extra === PORT) this.#submitByPort(task, target, input, settings)
    else {
      this.#describe(task, target, settings)
      if (!settings.isPlain) submitWith(extra, settings)
      else if (extra === undefined) bound.submit()
      else bound.submit(extra)
      this.#submitted(task)
    }
    if (signal !== undefined && calls[task.ticket] === task) this.#watch(task, signal)
  }

  /**
   * @param {InstanceType<typeof Task>} task
   * @param {Target} target
   * @param {Settings} settings
   */
  #describe(task, target, settings) {
    cells[CELL.POOL] = this.#pool.index
    cells[CELL.TICKET] = task.ticket
    cells[CELL.TARGET] = target.lane === LANE.NATIVE ? target.id : this.numbers.of(target)
    cells[CELL.LANE] = task.observed ? target.lane | LANE.OBSERVED : target.lane
    cells[CELL.PRIORITY] = settings.priority
    cells[CELL.TIMEOUT] = settings.timeout
    cells[CELL.QUEUE_TIMEOUT] = settings.queueTimeout
    cells[CELL.RETRIES] = settings.retries
    cells[CELL.PLACEMENT] = settings.placement
    numbers[NUMBER.DEADLINE] = settings.deadline === undefined ? -1 : Math.max(0, settings.deadline - Date.now())
  }

  /** @param {InstanceType<typeof Task>} task */
  #submitted(task) {
    const result = cells[CELL.RESULT]
    if (result !== SUBMITTED.ACCEPTED) {
      giveBack(task.ticket)
      task.reject(
        result === SUBMITTED.FULL
          ? new QueueFullError(`The pool's queue is full: 'maxQueue' is ${this.#options.maxQueue}`)
          : new PoolClosedError('The pool is closed')
      )
      return
    }
    task.key = cells[CELL.KEY]
    task.generation = cells[CELL.GENERATION]
    if (++this.pending > this.capacity) this.waited = true
    if (cells[CELL.START] >= 0) this.#isolates.start(cells[CELL.START])
  }

  /**
   * @param {InstanceType<typeof Task>} task
   * @param {Target} target
   * @param {any} input
   * @param {Settings} settings
   */
  #submitByPort(task, target, input, settings) {
    let list = settings.transferList ?? []
    if (isMoved(input)) {
      const moved = unwrap(input)
      input = moved.value
      list = [...list, ...moved.transferList]
    }
    // A task that may start again keeps its input, so it is held here and copied each time.
    const again = settings.retries > 0
    const put = () => {
      this.#describe(task, target, settings)
      cells[CELL.TAG] = TAG.PORT
      cells[CELL.FORM] = FORM.NUMBER
    }
    put()
    const number = cells[CELL.TARGET]
    if (again || settings.group !== undefined || settings.placement !== 0) cells[CELL.SLOT] = -1
    else bound.submitDirect()
    const slot = cells[CELL.SLOT]
    if (slot >= 0) {
      const worker = cells[CELL.START]
      const key = cells[CELL.KEY]
      const generation = cells[CELL.GENERATION]
      try {
        this.#isolates.send(worker, slot, generation, number, task.ticket, input, list, true)
      } catch (error) {
        this.#pool.undo(worker, slot)
        giveBack(task.ticket)
        throw error
      }
      // A getter in the input may have submitted other tasks.
      cells[CELL.KEY] = key
      cells[CELL.GENERATION] = generation
      cells[CELL.RESULT] = SUBMITTED.ACCEPTED
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
      throw error
    }
    put()
    if (settings.isPlain) bound.submit()
    else submitWith(undefined, settings)
    this.#submitted(task)
  }

  /**
   * @param {InstanceType<typeof Task>} task
   * @param {any} signal
   */
  #watch(task, signal) {
    task.unlisten = listen(signal, (reason) => {
      if (this.#pool.cancel(task.key, task.generation)) task.abort(reason)
    })
  }

  #left() {
    this.pending--
    if (this.waited && this.pending <= this.capacity) {
      this.waited = false
      this.#onDrain()
    }
    if (this.pending === 0) this.#onEmpty()
  }
}

/**
 * The input, with what the caller hands over moved out of its hands.
 * @param {any} input
 * @param {any[]} [transferList]
 */
function taken(input, transferList = []) {
  if (!isMoved(input)) return structuredClone(input, { transfer: transferList })
  const moved = unwrap(input)
  return structuredClone(moved.value, { transfer: [...transferList, ...moved.transferList] })
}

/**
 * @param {number} most
 * @param {ArrayBufferView | typeof PORT | undefined} extra
 */
function refuseLarger(most, extra) {
  // What a port carries is measured by the engine alone, and tells nobody.
  if (extra === PORT) return
  const inMailbox = cells[CELL.FORM] === FORM.BYTES ? cells[CELL.LENGTH] : 0
  const size = /** @type {ArrayBufferView | undefined} */ (extra)?.byteLength ?? inMailbox
  if (size <= most) return
  throw new InputTooLargeError(`The input has ${size} bytes when encoded: 'maxInputSize' is ${most}`)
}

/**
 * @param {any} extra
 * @param {Settings} settings
 */
function submitWith(extra, settings) {
  const { params, counters, group, outer } = settings
  const names = counters?.names.join('\0')
  bound.submitWith(extra, params, counters?.view, names, group, outer?.key, outer?.generation)
}

module.exports = { Submitter }
