'use strict'

// Takes in the notices for this environment, one after another. The cursor is kept beside the notices, and moves on
// before a notice is handled. Code of the user that runs for a notice may drain as well (`runSync`, from a listener or
// a getter): the inner drain continues at the cursor, and the outer one finds those notices done. The notices are
// replaced only once all of them have been read, and those of which a value is still being decoded are put back.

const { decode, decodeNumber } = require('../payload/values')
const { bound, calls, giveBack, later, put, setOutboxRing, soon, uncaught } = require('./environment')
const { notices } = require('./memory')
const { Bytes, mapGet, setBytes, sliceBuffer } = require('./primordials')
const { NOTICE, SIZE } = require('./wire')

const MORE = 0x80000000

const cells = new Int32Array(notices.memory)
const numbers = new Float64Array(notices.memory)

/** How many notices have not been read. */
let unread = 0
/** The cursor: where the next notice begins. */
let next = 0
/** Whether the value of a notice is being decoded, out of the memory of the notices. */
let isDecoding = false

/**
 * The functions by which a pool takes in its notices.
 * @typedef {object} Receiving
 * @property {(notice: number, about: number, why: number) => void} control
 * @property {(worker: number, slot: number, ticket: number, generation: number, target: number) => void} wanted
 * @property {() => [queued: number, running: number]} load
 * @property {() => import('../pool/observe/metrics').Readable} readable
 */

/** The pools of this environment, by number. @type {Map<number, Receiving>} */
const pools = new Map()

/** A payload that could not be decoded. */
const BROKEN = -1

/**
 * Handles the notices that have come in, at most as many as their memory holds: then promise reactions and the loop
 * have a turn.
 * @returns {number} how many notices there were
 */
function drain() {
  if (unread === 0) {
    if (isDecoding) return drainAside()
    const result = bound.drain()
    unread = result % MORE
    next = 0
    if (result >= MORE) later(drain)
  }
  let count = 0
  while (unread > 0) {
    step()
    count++
  }
  return count
}

/**
 * As `drain`, for code of the user that runs while the value of the last notice is being decoded. The memory of the
 * notices is as it was afterwards.
 * @returns {number}
 */
function drainAside() {
  const kept = sliceBuffer(notices.memory, 0)
  isDecoding = false
  try {
    return drain()
  } finally {
    setBytes(notices.bytes, new Bytes(kept))
    isDecoding = true
  }
}

/** Reads one notice, moves the cursor on, and then handles the notice. */
function step() {
  const cell = next >> 2
  const notice = cells[cell]
  const name = cells[cell + 1]
  const about = cells[cell + 2]
  const length = cells[cell + 3]
  const offset = next + SIZE.HEADER
  unread--
  next = offset
  if (notice <= NOTICE.FAILED) {
    if (length === -1) {
      next += 8
      return settle(name, notice, about, decodeNumber(about, numbers[offset >> 3]))
    }
    if (length >= 0) next += (length + 7) & ~7
    const value = valueAt(about, length, offset)
    settle(name, isBroken ? BROKEN : notice, about, value)
  } else if (notice < NOTICE.START) settle(name, notice, about, length)
  else if (notice === NOTICE.WANTED) {
    next += SIZE.HEADER
    want(name, about, offset >> 2)
  } else if (notice === NOTICE.CHUNK) chunk(name, about, offset)
  else if (notice < NOTICE.STARTED) guarded(() => mapGet(pools, name)?.control(notice, about, length))
  else {
    next += 8
    const ms = numbers[offset >> 3]
    const call = calls[name]
    if (notice === NOTICE.RAN) guarded(() => call?.ran?.(ms))
    else if (notice === NOTICE.PROGRESS) {
      if (call?.generation === length) notify(() => call.onProgress?.(ms))
    }
    // A ticket is used again; a generation is not.
    else if (call?.generation === length) guarded(() => call.started?.(about, ms))
  }
}

/** Whether the value that was decoded last is an error, since it could not be decoded. */
let isBroken = false

/**
 * Decodes the value of a notice.
 * @param {number} about
 * @param {number} length
 * @param {number} offset
 * @returns {unknown} an error if the value `isBroken`
 */
function valueAt(about, length, offset) {
  const wasDecoding = isDecoding
  let value
  let failed = false
  isDecoding = true
  try {
    value = decode(notices, numbers, about, length, offset)
  } catch (error) {
    value = error
    failed = true
  }
  isDecoding = wasDecoding
  isBroken = failed
  return value
}

/**
 * @param {number} ticket
 * @param {number} notice
 * @param {number} about
 * @param {unknown} value
 */
function settle(ticket, notice, about, value) {
  const call = calls[ticket]
  if (call === undefined) return
  let isOver = true
  try {
    isOver = call.settle(notice, about, value)
  } catch (error) {
    uncaught(error)
  }
  if (isOver) giveBack(ticket)
}

/**
 * A chunk of a native stream has come. Behind the cursor are a header, as that of an outcome, and the payload.
 * @param {number} ticket
 * @param {number} generation
 * @param {number} header where the header is
 */
function chunk(ticket, generation, header) {
  const about = cells[(header >> 2) + 2]
  const length = cells[(header >> 2) + 3]
  const offset = header + SIZE.HEADER
  next = offset
  if (length >= 0) next += (length + 7) & ~7
  else if (length === -1) next += 8
  const call = calls[ticket]
  // The reader has left, and the ticket may be that of another call.
  if (call?.generation !== generation) return
  const value = valueAt(about, length, offset)
  if (isBroken) guarded(() => call.refuseChunk?.(value))
  else guarded(() => call.chunk?.(value))
}

/**
 * A worker has taken a task, and its input has to be sent.
 * @param {number} pool
 * @param {number} worker
 * @param {number} cell where the rest of the notice is
 */
function want(pool, worker, cell) {
  try {
    mapGet(pools, pool)?.wanted(worker, cells[cell], cells[cell + 1], cells[cell + 2], cells[cell + 3])
  } catch (error) {
    uncaught(error)
  }
}

/**
 * Runs an action. An error that it throws is uncaught, as it should be, and harms nothing else.
 * @param {() => void} action
 */
function guarded(action) {
  try {
    action()
  } catch (error) {
    uncaught(error)
  }
}

// ---- while the event loop is blocked -----------------------------------------------------------

/** How many nested calls block this environment's event loop. No listener of the user may run meanwhile. */
let blocked = 0
/** Listeners that wait for the loop. @type {(() => void)[]} */
let afterwards = []
/** The index of the first of them that has not been called. */
let first = 0

function block() {
  blocked++
  bound.block(true)
}

function unblock() {
  bound.block(false)
  if (--blocked === 0 && afterwards.length > 0) soon(notifyAll)
}

function isBlocked() {
  return blocked > 0
}

function notifyAll() {
  while (blocked === 0 && first < afterwards.length) guarded(afterwards[first++])
  if (first < afterwards.length) return
  afterwards = []
  first = 0
}

/**
 * Calls a listener of the user once the loop is not blocked, after the listeners that waited before it. An error that
 * it throws is uncaught, as it should be, and harms no task.
 * @param {() => void} listener
 */
function notify(listener) {
  if (blocked > 0 || first < afterwards.length) put(afterwards, afterwards.length, listener)
  else guarded(listener)
}

/** How many tasks wait and run in all pools of this environment. */
function load() {
  const sum = { queued: 0, running: 0 }
  for (const pool of pools.values()) {
    const [queued, running] = pool.load()
    sum.queued += queued
    sum.running += running
  }
  return sum
}

/** All pools of this environment as text for Prometheus. */
function metrics() {
  return require('../pool/observe/metrics').metricsOf(Array.from(pools.values(), (pool) => pool.readable()))
}

setOutboxRing(drain)

module.exports = { BROKEN, pools, drain, settle, notify, block, unblock, isBlocked, load, metrics }
