'use strict'

// The way of a call into the scheduler: encodes its input, takes a ticket, submits, and counts what
// is in flight.

const { types } = require('node:util')
const { bound, cells, numbers, issue, giveBack, calls } = require('../../native/environment')
const { cloneByEngine } = require('../../native/primordials')
const { CELL, FORM, LANE, NUMBER, SUBMITTED, TAG, UNSUBMITTED } = require('../../native/wire')
const { abortOf, listen } = require('./abort')
const { AbortError, PoolClosedError, InputTooLargeError, QueueFullError, invalidArgument } = require('../../errors')
const { isMoved, unwrap } = require('../../payload/move')
const { explain } = require('../../payload/uncloneable')
const { PORT, encode, encodeForNative, sizeOf } = require('../../payload/values')
const { Numbers } = require('./numbers')
const { carry } = require('./carry')
const { describeTarget } = require('../observe/describe-target')
const { isHooked, isWatched } = require('../observe/watch')
const { show } = require('../options/validate')
const { Task } = require('./task')

/** @typedef {import('../../payload/records').Parts} Parts */
/** @typedef {InstanceType<typeof import('./targets').Target>} Target */
/** @typedef {InstanceType<typeof import('./settings').Settings>} Settings */
/** @typedef {import('node:worker_threads').Transferable} Transferable */

/** Loaded by the first call that is watched. @type {typeof import('../observe/watcher').Watcher | undefined} */
let Watcher

const nothing = () => {}
/** @type {(value: unknown) => void} */
let resolve = nothing
/** @type {(error: unknown) => void} */
let reject = nothing
/**
 * One executor for all promises, so that a call makes no closure. A hook that makes calls of its own makes them before
 * the executor runs.
 */
function capture(/** @type {typeof resolve} */ a, /** @type {typeof reject} */ b) {
  resolve = a
  reject = b
}

/**
 * A task whose input is being sent. `outer` is the task whose input has the getter that made this call.
 * @typedef {{ worker: number, slot: number, waits: boolean, outer: Sending | undefined }} Sending
 */

class Submitter {
  #pool
  #isolates
  #maxQueue
  #maxInputSize
  #watching
  #onDrain
  #onEmpty
  /** @type {import('./task').Home} */
  home
  /** The numbers of the functions that its tasks name. */
  numbers
  /** The task whose input is being sent. @type {Sending | undefined} */
  #sending
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
   * @param {Readonly<import('../options/pool-options').ResolvedOptions>} pool.options
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
    this.#maxQueue = options.maxQueue
    this.#maxInputSize = options.maxInputSize
    this.#onDrain = onDrain
    this.#onEmpty = onEmpty
    this.capacity = options.maxThreads * options.concurrentTasksPerWorker
    this.home = {
      pool: native,
      left: () => this.#left(),
      flush: () => isolates.flush(),
      look: (task, worker) => isolates.lookFor(task, worker),
      whyGone: (worker) => isolates.whyGone(worker),
      whyNotStarted: () => isolates.whyNotStarted()
    }
  }

  /**
   * @param {Target} target
   * @param {unknown} input
   * @param {Settings} settings
   * @returns {Promise<unknown>}
   */
  submit(target, input, settings) {
    const promise = new Promise(capture)
    const task = new Task(this.home, resolve, reject)
    // Keeps nothing of the caller's promise.
    resolve = reject = nothing
    this.submitAs(task, target, input, settings, isHooked(promise))
    return promise
  }

  /**
   * As `submit`, for a task with its own way to settle.
   * @param {InstanceType<typeof Task>} task
   * @param {Target} target
   * @param {unknown} input
   * @param {Settings} settings
   * @param {boolean} hooked whether the promise of the call shows that hooks are in use
   */
  submitAs(task, target, input, settings, hooked) {
    try {
      this.#refuse(settings)
      if (isWatched(settings.watched, hooked)) this.#submitWatched(task, target, input, settings)
      else this.#hand(task, target, input, settings)
    } catch (error) {
      this.#pool.countUnsubmitted(whyUnsubmitted(error))
      const { kind, task: name } = describeTarget(target)
      throw explain(error, ofCaller(kind, input), kind === 'batch' ? 'inputs' : 'input', name)
    }
  }

  /** @param {Settings} settings */
  #refuse({ signal, outer }) {
    // A running task may make nested calls until it has ended.
    if (!this.open && (outer === undefined || this.pending === 0)) throw new PoolClosedError('The pool is closed')
    const abort = signal && abortOf(signal)
    if (abort !== undefined) throw new AbortError(abort.reason)
  }

  /**
   * @param {InstanceType<typeof Task>} task
   * @param {Target} target
   * @param {unknown} input
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
   * Asks for room, then encodes the input, and writes the numbers of the native call last, when no more code of the
   * user runs.
   * @param {InstanceType<typeof Task>} task
   * @param {Target} target
   * @param {unknown} input
   * @param {Settings} settings
   */
  #hand(task, target, input, settings) {
    const { signal, deadline } = settings
    const remaining = deadline === undefined ? -1 : Math.max(0, deadline - Date.now())
    // A new number is made before the input is encoded.
    this.#numberOf(target)
    const reserved = this.#mayBeFull(settings)
    if (reserved) {
      const answer = this.#pool.reserve(target.lane)
      if (answer !== SUBMITTED.ACCEPTED) return task.reject(this.#refusal(answer))
    }
    this.pending++
    task.ticket = issue(task)
    try {
      this.#submit(task, target, input, settings, remaining, reserved)
    } catch (error) {
      giveBack(task.ticket)
      this.#left()
      throw error
    }
    if (signal !== undefined && calls[task.ticket] === task) this.#watch(task, signal)
  }

  /**
   * Whether the pool may have no room for the task.
   * @param {Settings} settings
   */
  #mayBeFull({ outer, placement }) {
    return this.#maxQueue !== Infinity && outer === undefined && placement >= 0
  }

  /**
   * @param {InstanceType<typeof Task>} task
   * @param {Target} target
   * @param {unknown} input
   * @param {Settings} settings
   * @param {number} remaining milliseconds until the deadline, or -1
   * @param {boolean} reserved whether room has been reserved
   * @returns {void}
   */
  #submit(task, target, input, settings, remaining, reserved) {
    let extra
    try {
      if (target.lane === LANE.NATIVE) extra = this.#encodeForNative(input, settings.transferList)
      else extra = settings.transferList === undefined ? encode(input) : PORT
      if (extra === PORT) {
        if (this.#sendAtOnce(task, target, input, settings, remaining)) {
          if (reserved) this.#pool.unreserve()
          return
        }
        extra = undefined
      } else if (this.#maxInputSize !== undefined) refuseLarger(this.#maxInputSize, extra)
    } catch (error) {
      if (reserved) this.#pool.unreserve()
      throw error
    }
    // From here to the answer no code of the user runs.
    this.#describe(task, target, settings, remaining)
    if (reserved) cells[CELL.LANE] |= LANE.RESERVED
    if (task.held !== undefined) describeAsHeld()
    if (!settings.isPlain) submitWith(extra, settings, target.lane === LANE.NATIVE)
    else if (extra === undefined) bound.submit()
    else bound.submit(extra)
    const result = cells[CELL.RESULT]
    const start = cells[CELL.START]
    task.key = cells[CELL.KEY]
    task.generation = cells[CELL.GENERATION]
    if (result !== SUBMITTED.ACCEPTED) {
      giveBack(task.ticket)
      task.drop()
      task.reject(this.#refusal(result))
      return this.#left()
    }
    if (this.pending > this.capacity) this.waited = true
    if (start >= 0) this.#isolates.start(start)
  }

  /**
   * Encodes an input. Moved memory is taken from the caller, and then read in place.
   * @param {unknown} input
   * @param {readonly Transferable[] | undefined} transferList
   */
  #encodeForNative(input, transferList) {
    if (transferList === undefined && !isMoved(input)) return encodeForNative(input)
    // An input that is too large is not taken from the caller.
    if (this.#maxInputSize !== undefined)
      refuseLarger(this.#maxInputSize, encodeForNative(isMoved(input) ? unwrap(input).value : input))
    return encodeForNative(taken(input, transferList), true)
  }

  /** @param {Target} target */
  #numberOf(target) {
    return target.lane === LANE.NATIVE ? target.id : this.numbers.of(target)
  }

  /**
   * @param {InstanceType<typeof Task>} task
   * @param {Target} target
   * @param {Settings} settings
   * @param {number} remaining
   */
  #describe(task, target, settings, remaining) {
    cells[CELL.POOL] = this.#pool.index
    cells[CELL.TICKET] = task.ticket
    cells[CELL.TARGET] = this.#numberOf(target)
    cells[CELL.LANE] = target.lane | (task.observed ? LANE.OBSERVED : 0) | (settings.alone ? LANE.ALONE : 0)
    cells[CELL.PRIORITY] = settings.priority
    cells[CELL.TIMEOUT] = settings.timeout
    cells[CELL.QUEUE_TIMEOUT] = settings.queueTimeout
    cells[CELL.RETRIES] = settings.retries
    cells[CELL.PLACEMENT] = settings.placement
    numbers[NUMBER.DEADLINE] = remaining
  }

  /** @param {number} answer */
  #refusal(answer) {
    return answer === SUBMITTED.FULL
      ? new QueueFullError(`The pool's queue is full: 'maxQueue' is ${this.#maxQueue}`)
      : new PoolClosedError('The pool is closed')
  }

  /**
   * Sends an input that only a port can carry, if a worker is free; otherwise holds it until a worker asks for it.
   * @param {InstanceType<typeof Task>} task
   * @param {Target} target
   * @param {unknown} input
   * @param {Settings} settings
   * @param {number} remaining
   * @returns whether it was sent
   */
  #sendAtOnce(task, target, input, settings, remaining) {
    const { value, transferList } = isMoved(input) ? unwrap(input) : { value: input, transferList: [] }
    const list = [...(settings.transferList ?? []), ...transferList]
    // A task that may start again keeps its input, so it is held here and copied each time.
    const again = settings.retries > 0
    if (again) refuseUncopied(list)
    // If all workers are busy, none can take it.
    else if (settings.group === undefined && settings.placement === 0 && this.pending <= this.capacity) {
      this.#describe(task, target, settings, remaining)
      describeAsHeld()
      bound.submitDirect()
      const slot = cells[CELL.SLOT]
      if (slot >= 0) return this.#send(task, value, list)
    }
    // A copy is made now, so that a later change by the caller does not reach the task.
    if (list.length === 0) task.held = { input: cloneByEngine(value), list }
    else {
      task.held = cloneByEngine({ input: value, list }, { transfer: list })
      if (again) task.held.list = []
    }
    return false
  }

  /**
   * Sends the input to the worker that has the task, which the numbers of the call name.
   * @param {InstanceType<typeof Task>} task
   * @param {unknown} input
   * @param {Transferable[]} list
   * @returns whether it was sent
   */
  #send(task, input, list) {
    const worker = cells[CELL.START]
    const slot = cells[CELL.SLOT]
    const number = cells[CELL.TARGET]
    task.key = cells[CELL.KEY]
    task.generation = cells[CELL.GENERATION]
    if (this.pending > this.capacity) this.waited = true
    try {
      this.sending(worker, slot, () =>
        this.#isolates.send(worker, slot, task.generation, number, task.ticket, input, list, true)
      )
    } catch (error) {
      // A getter may have ended the task meanwhile.
      if (this.#pool.undo(worker, slot, task.generation)) throw error
    }
    return true
  }

  /**
   * Sends the input of a task that a worker has.
   * @param {number} worker
   * @param {number} slot
   * @param {() => void} send
   */
  sending(worker, slot, send) {
    const outer = this.#sending
    this.#sending = { worker, slot, waits: false, outer }
    try {
      send()
    } finally {
      this.#sending = outer
    }
  }

  /**
   * Code of the user that runs while an input is sent, such as a getter in it, may block the thread until another task
   * has ended. The tasks of such inputs have a worker already, and leave their places to the other task.
   * @returns {() => void} gives the places back
   */
  leavePlaces() {
    /** @type {Sending[]} */
    const left = []
    for (let each = this.#sending; each !== undefined; each = each.outer) if (!each.waits) left[left.length] = each
    const set = (/** @type {boolean} */ waits) => {
      for (let i = 0; i < left.length; i++) {
        left[i].waits = waits
        this.#pool.setWaits(left[i].worker, left[i].slot, waits)
      }
    }
    set(true)
    return () => set(false)
  }

  /**
   * @param {InstanceType<typeof Task>} task
   * @param {import('../../../types/tasks').Signal} signal
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
 * The input, after its transferred parts were taken from the caller.
 * @param {unknown} input
 * @param {readonly Transferable[]} [transferList]
 * @returns {unknown}
 */
function taken(input, transferList = []) {
  const moved = isMoved(input) ? unwrap(input) : { value: input, transferList: [] }
  return cloneByEngine(moved.value, { transfer: [...transferList, ...moved.transferList] })
}

/** Writes that the call does not contain the input: a worker asks for it. */
function describeAsHeld() {
  cells[CELL.TAG] = TAG.PORT
  cells[CELL.FORM] = FORM.NUMBER
}

/**
 * An object that can be sent only once cannot be sent for a second start.
 * @param {Transferable[]} list
 */
function refuseUncopied(list) {
  for (const each of list) {
    if (types.isArrayBuffer(each)) continue
    throw invalidArgument(
      `Task options: with 'retries' the 'transferList' must have nothing but ArrayBuffers, which are copied for each start, got ${show(each)}`
    )
  }
}

/**
 * @param {number} most
 * @param {ArrayBufferView | Parts | string | undefined} extra as `encode` gave it
 */
function refuseLarger(most, extra) {
  const size = sizeOf(extra)
  if (size <= most) return
  throw new InputTooLargeError(`The input has ${size} bytes when encoded: 'maxInputSize' is ${most}`)
}

/**
 * The input that the caller gave. A stream and a channel have put it into an array.
 * @param {import('../observe/describe-target').Described['kind']} kind
 * @param {unknown} input
 */
function ofCaller(kind, input) {
  if (kind !== 'stream' && kind !== 'channel') return input
  return /** @type {unknown[]} */ (input)[kind === 'stream' ? 2 : 1]
}

/** @param {unknown} error that a call failed with */
function whyUnsubmitted(error) {
  if (error instanceof AbortError) return UNSUBMITTED.ABORTED
  return error instanceof DOMException && error.name === 'DataCloneError' ? UNSUBMITTED.NOT_CLONED : UNSUBMITTED.REFUSED
}

/**
 * @param {ArrayBufferView | Parts | string | undefined} extra
 * @param {Settings} settings
 * @param {boolean} native
 */
function submitWith(extra, settings, native) {
  const { params, counters, counterNames, group, outer, onProgress, room } = settings
  bound.submitWith(
    extra,
    params,
    counters?.view,
    counterNames,
    group,
    outer?.key,
    outer?.generation,
    native && onProgress !== undefined,
    native ? room : 0
  )
}

module.exports = { Submitter }
