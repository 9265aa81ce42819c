'use strict'

// The loop of a worker: hand over the outcome, take the next task, run it. Microtasks run after each task. If tasks run
// back to back for a while, the event loop gets a turn.

const { getHeapStatistics } = require('node:v8')
const { parentPort } = require('node:worker_threads')
const { bound, cells, numbers, hold, nextTurn, release, setWorkerRing } = require('../native/environment')
const memory = require('../native/memory')
const { CELL, FORM, NUMBER, RING, STATUS, STEP, TAG } = require('../native/wire')
const { isMoved, unwrap } = require('../payload/move')
const { PORT_MESSAGE } = require('../payload/port')
const { PORT, encode, decodeBlob, decodeBytes, decodeNumber } = require('../payload/values')
const { describe } = require('../payload/thrown')
const { context, enter, begin, within } = require('./context')
const { becomeHost } = require('./host')
const { output } = require('./output')
const { follow, promised } = require('./promised')
const { load, known, lookUp, teardown } = require('./script')
const { areTaken, turns } = require('./turns')

/** Milliseconds of back-to-back tasks before the event loop gets a turn. */
const SLICE = 10

/** @type {import('node:worker_threads').MessagePort} */
let port
let workerId = -1
/** Whether the pool still existed when this isolate began. */
let enlisted = false
/** Checks whether the isolate has grown too large. @type {((now: number) => void) | undefined} */
let checkSize
/** When the event loop last had a turn, on the scheduler's clock; -1 after a turn. */
let sliceStart = -1

/**
 * The settings with which an isolate begins.
 * @typedef {object} Settings
 * @property {number} uid of its pool
 * @property {number} id
 * @property {number} number
 * @property {import('node:worker_threads').MessagePort} port
 * @property {Int32Array} flags
 * @property {Int32Array} unread
 * @property {string | undefined} filename
 * @property {string} name
 * @property {number} concurrency
 * @property {boolean} outputFirst
 * @property {number} niceIncrement
 * @property {boolean} pin
 * @property {import('../../types/options').RecycleOptions | undefined} recycle
 */

/** @param {Settings} settings */
async function startWorker(settings) {
  port = settings.port
  workerId = settings.id
  turns.concurrency = settings.concurrency
  turns.take = () => work(-1, STATUS.RETURNED, undefined)
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
  context.open(settings.flags, port, turns.concurrency, settings)
  port.on('message', received)
  hold()
  setWorkerRing(rung)
  if (!enlisted || !bound.join(settings.flags)) return retire()
  work(-1, STATUS.RETURNED, undefined)
}

/** The pool needs this worker no longer: runs `teardown`, and lets the isolate end by itself. */
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
 * Hands over the outcome of the task in `slot`, if there is one, and runs the tasks that come.
 * @param {number} slot
 * @param {number} status
 * @param {unknown} value
 */
async function work(slot, status, value) {
  for (;;) {
    if (output.ahead > 0 && slot >= 0) await output.wait(port, bound.look)
    exchange(slot, status, value)
    const { step, clock, generation, target, ticket, byPort } = answer
    slot = answer.slot
    status = answer.status
    value = answer.input
    answer.input = undefined
    if (checkSize !== undefined) checkSize(clock)
    if (step === STEP.IDLE) {
      sliceStart = -1
      return
    }
    if (step === STEP.RETIRE) return retire()
    turns.running++
    endsLater = byPort
    if (!byPort) {
      const task = begin(slot, generation, ticket)
      if (status === STATUS.RETURNED) {
        try {
          value = start(task, target, value)
        } catch (error) {
          status = STATUS.THREW
          value = error
          endsLater = false
        }
      }
    }
    if (endsLater) {
      if (areTaken()) return
      slot = -1
    }
    // Microtasks of this task run before the next task.
    await undefined
    if (sliceStart < 0) sliceStart = clock
    else if (clock - sliceStart > SLICE) {
      sliceStart = -1
      await nextTurn()
    }
  }
}

/** Whether the last task that `start` has run ends later. Set when no more code of the user runs. */
let endsLater = false

/**
 * Runs a task. If its result comes later, in whatever way, the task settles by itself, exactly once.
 * @param {Running} task
 * @param {number} target
 * @param {unknown} input
 * @returns {unknown} undefined if it `endsLater`
 */
function start(task, target, input) {
  task.target = target
  const run = known(target)
  if (run === undefined) return settleLater(task, lookUpAndRun(task, target, input))
  const value = enter(task, run, input)
  const later = promised(value)
  if (later !== undefined) return settleLater(task, later)
  endsLater = false
  return value
}

/**
 * @param {Running} task
 * @param {number} target
 * @param {unknown} input
 */
function lookUpAndRun(task, target, input) {
  return follow(
    lookUp(target),
    // Other tasks have begun in the meantime.
    (run) => enter(task, run, input),
    (error) => {
      port.postMessage([PORT_MESSAGE.NOT_FOUND, target])
      throw error
    }
  )
}

/** The input of the task that the last exchange gave. */
function readInput() {
  const tag = cells[CELL.TAG]
  switch (cells[CELL.FORM]) {
    case FORM.NUMBER:
      return decodeNumber(tag, numbers[NUMBER.PAYLOAD])
    case FORM.BYTES:
      return decodeBytes(memory.input, tag, cells[CELL.LENGTH], 0)
    default:
      return decodeBlob(tag, bound.longInput())
  }
}

/**
 * Does not use `await`, which would appear in the stacks of the user's errors.
 * @param {Running} task
 * @param {Promise<unknown>} promise
 */
function settleLater(task, promise) {
  follow(
    promise,
    (value) => {
      work(task.slot, STATUS.RETURNED, value)
    },
    (error) => {
      work(task.slot, STATUS.THREW, error)
    }
  )
  endsLater = true
}

/** The answer of the last exchange. The status is not RETURNED if the input, which is an error then, cannot be read. */
const answer = {
  step: /** @type {number} */ (STEP.IDLE),
  clock: 0,
  slot: -1,
  generation: 0,
  target: -1,
  ticket: -1,
  byPort: false,
  status: /** @type {number} */ (STATUS.RETURNED),
  input: /** @type {unknown} */ (undefined)
}

/**
 * @param {number} slot of the task that has ended, or -1
 * @param {number} status
 * @param {unknown} value
 */
function exchange(slot, status, value) {
  told = status
  if (slot < 0) return handOver(undefined, undefined)
  turns.running--
  const task = context.leave(slot)
  if (task.nested > 0) turns.waiting--
  const isPlain = status === STATUS.RETURNED && (value === null || typeof value !== 'object')
  if (isPlain) handOver(task, value)
  else within(task, handOver, value)
}

/**
 * Encodes an outcome, hands it over, and reads the answer. Code of the user may run while the outcome is encoded, and
 * again when this returns, but not in between.
 * @param {Running | undefined} task that has ended. Getters in the value still run for it
 * @param {unknown} value
 */
function handOver(task, value) {
  const extra = task === undefined ? undefined : encodeOutcome(task, value)
  cells[CELL.STATUS] = told
  cells[CELL.SLOT] = task === undefined ? -1 : task.slot
  cells[CELL.GENERATION] = task === undefined ? 0 : task.generation
  if (extra === undefined) bound.exchange()
  else bound.exchange(extra)
  answer.step = cells[CELL.RESULT]
  answer.clock = numbers[NUMBER.CLOCK]
  answer.slot = cells[CELL.SLOT]
  answer.generation = cells[CELL.GENERATION]
  answer.target = cells[CELL.TARGET]
  answer.ticket = cells[CELL.TICKET]
  answer.byPort = cells[CELL.TAG] === TAG.PORT
  answer.status = STATUS.RETURNED
  if (answer.step !== STEP.RUN || answer.byPort) return
  try {
    answer.input = readInput()
  } catch (error) {
    answer.status = STATUS.THREW
    answer.input = error
  }
}

/** The status of the outcome that is handed over. */
let told = /** @type {number} */ (STATUS.RETURNED)

/** @typedef {{ ticket: number, generation: number }} Named */
/** @typedef {ReturnType<typeof begin>} Running */

/**
 * Encodes a result, or what was thrown, and sets the status.
 * @param {Running} task that has ended. Getters in the value still run for it
 * @param {unknown} value
 */
function encodeOutcome(task, value) {
  if (told !== STATUS.RETURNED) return encodeThrown(task, value)
  try {
    return encodeResult(task, value)
  } catch (error) {
    const others = require('./batch').withoutUncloneable(value, task.target)
    if (others !== undefined) return encodeResult(task, others)
    told = error instanceof Error && error.name === 'DataCloneError' ? STATUS.NOT_CLONED : STATUS.THREW
    return encodeThrown(task, require('./explained').explained(error, value, 'result', task.target))
  }
}

/**
 * @param {Named} task
 * @param {unknown} value
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
 * @param {unknown} thrown
 */
function encodeThrown(task, thrown) {
  const description = describe(thrown)
  const extra = encode(description)
  return extra === PORT ? byPort(task, description, []) : extra
}

/**
 * Sends a value ahead through the port. The scheduler gets the id of this worker in its place.
 * @param {Named} task
 * @param {unknown} value
 * @param {import('node:worker_threads').Transferable[]} transferList
 * @returns {undefined}
 */
function byPort(task, value, transferList) {
  port.postMessage([PORT_MESSAGE.RESULT, task.ticket, task.generation, value], transferList)
  encode(workerId)
  cells[CELL.TAG] = TAG.PORT
}

/** @typedef {import('../payload/messages').ToIsolate} ToIsolate */

/** The handlers of the owner's messages, by kind. @type {{ [M in ToIsolate as M[0]]: (message: M) => void }} */
const handlers = {
  /** An input that only a port can carry. */
  [PORT_MESSAGE.INPUT]([, slot, generation, target, ticket, input, direct]) {
    if (direct) {
      turns.running++
      bound.hasSeen()
    }
    const task = begin(slot, generation, ticket)
    let status = /** @type {number} */ (STATUS.RETURNED)
    let value
    try {
      value = start(task, target, input)
    } catch (error) {
      status = STATUS.THREW
      value = error
      endsLater = false
    }
    if (!endsLater) work(slot, status, value)
    // This task came without being asked for, and there may be more places.
    else if (direct && !areTaken()) turns.take()
  },
  /** There is no input any more. */
  [PORT_MESSAGE.GONE]([, slot, generation]) {
    begin(slot, generation, -1)
    work(slot, STATUS.RETURNED, undefined)
  },
  // Unlike process.memoryUsage(), this reads no file, and works if a script has deleted `process`.
  [PORT_MESSAGE.HEAP]() {
    const { used_heap_size, total_heap_size } = getHeapStatistics()
    port.postMessage([PORT_MESSAGE.HEAP, used_heap_size, total_heap_size])
  },
  [PORT_MESSAGE.FLUSH]: () => output.whenRead(() => port.postMessage([PORT_MESSAGE.FLUSHED])),
  [PORT_MESSAGE.HAND_OVER]: () => output.giveUp(),
  [PORT_MESSAGE.CREDIT]: toStream,
  [PORT_MESSAGE.FEED]: toStream,
  [PORT_MESSAGE.FEED_END]: toStream,
  [PORT_MESSAGE.NESTED_QUEUED]: toNested,
  [PORT_MESSAGE.NESTED_DONE]: toNested
}

/** @param {import('../payload/messages').Of<ToIsolate, typeof PORT_MESSAGE.CREDIT | typeof PORT_MESSAGE.FEED | typeof PORT_MESSAGE.FEED_END>} message */
function toStream(message) {
  context.receive(message)
}

/** @param {import('./nested').Told} message */
function toNested(message) {
  require('./nested').received(message)
}

/** @param {ToIsolate} message */
function received(message) {
  const handler = /** @type {(message: ToIsolate) => void} */ (handlers[message[0]])
  handler(message)
}

module.exports = { startWorker }
