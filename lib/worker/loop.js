'use strict'

// A worker's loop: hand over what is finished, take the next, run it. After each task microtasks run;
// after a while of back-to-back tasks the event loop has a turn.

const { getHeapStatistics } = require('node:v8')
const { parentPort } = require('node:worker_threads')
const { bound, cells, numbers, hold, release, setWorkerRing } = require('../native/environment')
const { CELL, FORM, NUMBER, RING, SIZE, STATUS, STEP, TAG } = require('../native/wire')
const { isMoved, unwrap } = require('../payload/move')
const { PORT_MESSAGE } = require('../payload/port')
const { PORT, encode, decode } = require('../payload/values')
const { describe } = require('../payload/thrown')
const { context, enter, begin, resume } = require('./context')
const { becomeHost } = require('./host')
const { output } = require('./output')
const { load, known, lookUp, teardown } = require('./script')

/** Milliseconds of tasks back to back before the event loop has a turn. */
const SLICE = 10

/** @type {import('node:worker_threads').MessagePort} */
let port
let workerId = -1
/** Whether the pool was there when this isolate began. */
let enlisted = false
let concurrency = 1
let running = 0
/** Of those, the tasks that have left their place to others. */
let waiting = 0
/** Sees whether the isolate has grown too large. @type {((now: number) => void) | undefined} */
let checkSize
/** When the event loop last had a turn, on the scheduler's clock; -1 after a turn. */
let sliceStart = -1

/** @param {any} settings */
async function startWorker(settings) {
  port = settings.port
  workerId = settings.id
  concurrency = settings.concurrency
  output.follow(settings.unread, settings.outputFirst)
  enlisted = bound.enlist(settings.uid, workerId)
  // An owner whose loop is blocked cannot see why this isolate ends.
  process.on('uncaughtExceptionMonitor', (error) => port.postMessage([PORT_MESSAGE.FATAL, describe(error)]))
  process.on('exit', (code) => port.postMessage([PORT_MESSAGE.EXIT, code]))
  if (settings.niceIncrement > 0 || settings.pin) bound.adopt(settings.niceIncrement, settings.pin)
  context.inWorker = true
  becomeHost()
  context.workerNumber = settings.number
  if (enlisted && settings.filename !== undefined) await load(settings.filename)
  if (settings.recycle !== undefined) checkSize = require('./size').watch(settings.recycle)
  context.open(settings.flags, port, concurrency, settings)
  port.on('message', received)
  hold()
  setWorkerRing(rung)
  if (!enlisted || !bound.join(settings.flags)) return retire()
  port.postMessage([PORT_MESSAGE.READY])
  work(-1, STATUS.RETURNED, undefined)
}

/** The pool needs this worker no more: what is left to do is done, and the isolate ends by itself. */
async function retire() {
  try {
    await teardown()
  } finally {
    if (enlisted) bound.tornDown()
    port.close()
    parentPort?.unref()
    release()
  }
}

/** @param {number} why */
function rung(why) {
  if ((why & RING.CANCEL) !== 0) context.checkAll()
  if ((why & RING.LANE) !== 0) work(-1, STATUS.RETURNED, undefined)
}

/**
 * Hands over the outcome of the task in `slot`, if there is one, and runs what comes.
 * @param {number} slot
 * @param {number} status
 * @param {any} value
 */
async function work(slot, status, value) {
  for (;;) {
    if (output.ahead > 0 && slot >= 0) await output.wait(port, bound.look)
    exchange(slot, status, value)
    if (checkSize !== undefined) checkSize(numbers[NUMBER.CLOCK])
    const result = cells[CELL.RESULT]
    if (result === STEP.IDLE) {
      sliceStart = -1
      return
    }
    if (result === STEP.RETIRE) return retire()
    running++
    slot = cells[CELL.SLOT]
    status = STATUS.RETURNED
    const generation = cells[CELL.GENERATION]
    const target = cells[CELL.TARGET]
    const ticket = cells[CELL.TICKET]
    const clock = numbers[NUMBER.CLOCK]
    if (cells[CELL.TAG] === TAG.PORT) {
      port.postMessage([PORT_MESSAGE.WANT, ticket, slot, generation, target])
      bound.look()
      value = WAITING
    } else {
      try {
        const run = known(target)
        const input = readInput()
        value = enter(slot, generation, ticket, run === undefined ? lookUpAndRun(slot, target) : run, input)
        if (isThenable(value)) {
          settleLater(slot, value)
          value = WAITING
        }
      } catch (error) {
        // The input may have been what failed, before the task had begun.
        if (!context.has(slot)) begin(slot, generation, ticket)
        status = STATUS.THREW
        value = error
      }
    }
    if (value === WAITING) {
      if (running - waiting >= concurrency) return
      slot = -1
    }
    // Microtasks of the task, before the next.
    await undefined
    if (sliceStart < 0) sliceStart = clock
    else if (clock - sliceStart > SLICE) {
      sliceStart = -1
      await new Promise(setImmediate)
    }
  }
}

/** The task ends later. */
const WAITING = Symbol('waiting')

/**
 * @param {number} slot
 * @param {number} target
 * @returns {(input: any) => any}
 */
function lookUpAndRun(slot, target) {
  return (input) =>
    lookUp(target).then(
      (run) => resume(slot, run, input),
      (error) => {
        port.postMessage([PORT_MESSAGE.NOT_FOUND, target])
        throw error
      }
    )
}

/** The input in the mailbox. */
function readInput() {
  const form = cells[CELL.FORM]
  const tag = cells[CELL.TAG]
  if (form === FORM.NUMBER) return decode(tag, -1, 8 * NUMBER.PAYLOAD)
  return decode(tag, form === FORM.BYTES ? cells[CELL.LENGTH] : -2, SIZE.DATA)
}

/** @param {any} value */
function isThenable(value) {
  return value !== null && typeof value === 'object' && typeof value.then === 'function'
}

/**
 * @param {number} slot
 * @param {PromiseLike<any>} promise
 */
function settleLater(slot, promise) {
  promise.then(
    (value) => work(slot, STATUS.RETURNED, value),
    (error) => work(slot, STATUS.THREW, error)
  )
}

/**
 * @param {number} slot
 * @param {number} status
 * @param {any} value
 */
function exchange(slot, status, value) {
  let extra
  if (slot >= 0) {
    running--
    const task = context.leave(slot)
    if (task.nested > 0) waiting--
    if (status === STATUS.RETURNED) {
      try {
        extra = encodeResult(task, value)
      } catch (error) {
        const others = require('./batch').withoutUncloneable(value)
        if (others === undefined) {
          status = error instanceof Error && error.name === 'DataCloneError' ? STATUS.NOT_CLONED : STATUS.THREW
          value = error
        } else extra = encodeResult(task, others)
      }
    }
    if (status !== STATUS.RETURNED) extra = encodeThrown(task, value)
    cells[CELL.STATUS] = status
    cells[CELL.GENERATION] = task.generation
  }
  cells[CELL.SLOT] = slot
  if (extra === undefined) bound.exchange()
  else bound.exchange(extra)
}

/**
 * A task leaves its place to those that it has submitted, or has it again.
 * @param {{ slot: number, generation: number }} task
 * @param {boolean} waits
 */
function setWaits(task, waits) {
  if (!context.runs(task)) return
  waiting += waits ? 1 : -1
  context.grow(concurrency + waiting, (flags) => bound.setWaits(task.slot, waits, flags))
  if (running - waiting < concurrency) work(-1, STATUS.RETURNED, undefined)
}

/** @typedef {{ ticket: number, generation: number }} Named */

/**
 * @param {Named} task
 * @param {any} value
 */
function encodeResult(task, value) {
  if (isMoved(value)) {
    const moved = unwrap(value)
    return byPort(task, moved.value, moved.transferList)
  }
  const extra = encode(value)
  return extra === PORT ? byPort(task, value, []) : extra
}

/**
 * @param {Named} task
 * @param {any} thrown
 */
function encodeThrown(task, thrown) {
  const description = describe(thrown)
  const extra = encode(description)
  return extra === PORT ? byPort(task, description, []) : extra
}

/**
 * Sends a value ahead through the port; the scheduler's word for it is this worker's id.
 * @param {Named} task
 * @param {any} value
 * @param {any[]} transferList
 * @returns {undefined}
 */
function byPort(task, value, transferList) {
  port.postMessage([PORT_MESSAGE.RESULT, task.ticket, task.generation, value], transferList)
  encode(workerId)
  cells[CELL.TAG] = TAG.PORT
}

/** @param {any[]} message an input that only a port can carry, or that there is none any more */
function received(message) {
  const [kind, slot, generation, target, ticket, input, direct] = message
  if (kind === PORT_MESSAGE.HAND_OVER) return output.giveUp()
  if (kind >= PORT_MESSAGE.NESTED_QUEUED) return require('./nested').received(message)
  if (kind === PORT_MESSAGE.HEAP) {
    // It reads no file, as process.memoryUsage() does, and is there where a script has deleted `process`.
    const { used_heap_size, total_heap_size } = getHeapStatistics()
    return port.postMessage([PORT_MESSAGE.HEAP, used_heap_size, total_heap_size])
  }
  if (kind >= PORT_MESSAGE.CREDIT) return context.receive(kind, slot, generation, message[3])
  if (kind === PORT_MESSAGE.FLUSH) return output.whenRead(() => port.postMessage([PORT_MESSAGE.FLUSHED]))
  if (direct) {
    running++
    bound.hasSeen()
  }
  let status = /** @type {number} */ (STATUS.RETURNED)
  let value
  if (kind === PORT_MESSAGE.GONE) begin(slot, generation, -1)
  else {
    try {
      const run = known(target)
      value = enter(slot, generation, ticket, run === undefined ? lookUpAndRun(slot, target) : run, input)
      if (isThenable(value)) return settleLater(slot, value)
    } catch (error) {
      status = STATUS.THREW
      value = error
    }
  }
  work(slot, status, value)
}

module.exports = { startWorker, setWaits, isThenable }
