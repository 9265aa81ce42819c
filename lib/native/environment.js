'use strict'

// This environment's side of the addon: the mailbox, the table of calls in flight, and what happens
// when the doorbell rings. Where the numbers are in the mailbox is in wire.js.

const native = require('./load')

const { RECORD, RING, SIZE } = require('./wire')

const memory = new ArrayBuffer(SIZE.MAILBOX)
const cells = new Int32Array(memory)
const numbers = new Float64Array(memory)
const bytes = Buffer.from(memory)

const MORE = 0x80000000

// ---- the calls in flight -----------------------------------------------------------------------

/**
 * What settles a call. `settle` is given the record's numbers; the payload is in the mailbox.
 * @typedef {{ settle: (what: number, about: number, length: number, offset: number) => void }} Call
 */

/** @type {(Call | undefined)[]} */
const calls = []
/** @type {number[]} */
const free = []
let holds = 0

/** Keeps this environment's loop alive until `release`. */
function hold() {
  if (holds++ === 0) bound.keepAlive(true)
}

function release() {
  if (--holds === 0) bound.keepAlive(false)
}

/**
 * A ticket for a call; the loop stays alive until it is given back.
 * @param {Call} call
 */
function issue(call) {
  const ticket = free.length > 0 ? /** @type {number} */ (free.pop()) : calls.length
  calls[ticket] = call
  hold()
  return ticket
}

/** @param {number} ticket */
function giveBack(ticket) {
  calls[ticket] = undefined
  free.push(ticket)
  release()
  if (idle.length > 0 && free.length === calls.length) for (const resolve of idle.splice(0)) resolve()
}

/** @type {(() => void)[]} */
const idle = []

/**
 * Resolves when no call of this environment is in flight.
 * @returns {Promise<void>}
 */
function whenIdle() {
  return new Promise((resolve) => (free.length === calls.length ? resolve() : void idle.push(resolve)))
}

// ---- when the doorbell rings -------------------------------------------------------------------

/** @type {Map<number, { control: (what: number, about: number) => void, load: () => [queued: number, running: number], readable: () => any }>} */
const pools = new Map()

/** @type {((why: number) => void) | undefined} */
let workerRing

/** @param {(why: number) => void} onRing what a worker does when it is rung */
function setWorkerRing(onRing) {
  workerRing = onRing
}

function onRing() {
  const why = bound.answer()
  if ((why & RING.OUTBOX) !== 0) drain()
  if (workerRing !== undefined && (why & ~RING.OUTBOX) !== 0) workerRing(why)
}

/** Whether the doorbell keeps the loop alive, as any handle of Node's says it. */
onRing.hasRef = () => holds > 0

/** How many calls block this environment's event loop, one in another: no listener of the user's may run. */
let blocked = 0

function block() {
  blocked++
  bound.block(true)
}

function unblock() {
  bound.block(false)
  if (--blocked > 0 || afterwards.length === 0) return
  process.nextTick(() => {
    for (const listener of afterwards.splice(0)) notify(listener)
  })
}

function isBlocked() {
  return blocked > 0
}

/** Whether the mailbox holds records that are not read yet: no code of a user's may run. */
let reading = false
/** @type {(() => void)[]} */
const afterwards = []
/** What of this package waits for the same, and not for the loop. @type {(() => void)[]} */
const afterReading = []

/**
 * Does what writes to the mailbox: at once, or when the records in it have been read.
 * @param {() => void} action
 */
function whenRead(action) {
  if (reading) afterReading.push(action)
  else action()
}

/**
 * Calls a listener of the user's, once the mailbox is free and the loop not blocked. What it throws is uncaught, as it should be,
 * and harms no task.
 * @param {() => void} listener
 */
function notify(listener) {
  if (reading || blocked > 0) {
    afterwards.push(listener)
    return
  }
  try {
    listener()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}

/** Settles what has come in. At most a mailbox full: then promise reactions and the loop have a turn. */
function drain() {
  const result = bound.drain()
  const count = result % MORE
  let at = SIZE.DATA
  const controls = []
  reading = true
  for (let i = 0; i < count; i++) {
    const cell = at >> 2
    const what = cells[cell]
    const ticket = cells[cell + 1]
    const about = cells[cell + 2]
    const length = cells[cell + 3]
    at += SIZE.HEADER
    if (what >= RECORD.START) {
      if (what < RECORD.STARTED) controls.push({ pool: ticket, what, about })
      else {
        const call = /** @type {any} */ (calls[ticket])
        if (what === RECORD.RAN) call?.ran(numbers[at >> 3])
        // A ticket is used again; a generation is not.
        else if (call?.generation === length) call.started(about, numbers[at >> 3])
        at += 8
      }
      continue
    }
    const call = calls[ticket]
    const offset = at
    if (what <= RECORD.FAILED) {
      if (length >= 0) at += (length + 7) & ~7
      else if (length === -1) at += 8
    }
    if (call === undefined) continue
    call.settle(what, about, length, offset)
    giveBack(ticket)
  }
  reading = false
  // After the records: what these do may drain again, and the mailbox is one.
  if (afterReading.length > 0) for (const action of afterReading.splice(0)) action()
  for (const listener of afterwards.splice(0)) notify(listener)
  for (const { pool, what, about } of controls) pools.get(pool)?.control(what, about)
  if (result >= MORE) setImmediate(drain)
  return count
}

/** The tasks that wait and that run in all pools of this environment. */
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

const bound = native.open(bytes, onRing)

module.exports = {
  native,
  bound,
  memory,
  cells,
  numbers,
  bytes,
  pools,
  calls,
  issue,
  giveBack,
  hold,
  release,
  drain,
  whenRead,
  notify,
  block,
  unblock,
  isBlocked,
  setWorkerRing,
  whenIdle,
  load,
  metrics
}
