'use strict'

// This environment's side of the addon: the handlers of the doorbell, the functions that wait for a turn of the event
// loop, and the calls in flight.

const native = require('./load')
const { createObject, defineProperty } = require('./primordials')
const { cells, input, numbers, notices, scratch } = require('./memory')
const { RING } = require('./wire')

/** A descriptor that inherits nothing. @type {PropertyDescriptor} */
const element = createObject(null)
element.writable = element.enumerable = element.configurable = true

/**
 * Sets an element of a list, or adds one. An assignment would call an accessor that a program has put in the place of
 * new elements.
 * @template T
 * @param {T[]} list
 * @param {number} i
 * @param {T} value
 */
function put(list, i, value) {
  if (i < list.length) {
    list[i] = value
    return
  }
  element.value = value
  defineProperty(list, i, element)
  element.value = undefined
}

// ---- the doorbell ------------------------------------------------------------------------------

/** @type {(() => void) | undefined} */
let outboxRing
/** @type {((why: number) => void) | undefined} */
let workerRing

/** @param {() => void} onRing called when something is in the outbox */
function setOutboxRing(onRing) {
  outboxRing = onRing
}

/** @param {(why: number) => void} onRing called when a worker is rung */
function setWorkerRing(onRing) {
  workerRing = onRing
}

/** @type {(() => void) | undefined} */
let messageRing
/** @type {(() => void) | undefined} */
let firstBytesRing

/** @param {() => void} onRing called when connections have their first bytes */
function setFirstBytesRing(onRing) {
  firstBytesRing = onRing
}

/** @param {() => void} onRing called when there are messages of the cluster */
function setMessageRing(onRing) {
  messageRing = onRing
}

/** @type {(() => void) | undefined} */
let lockRing

/** @param {() => void} onRing called when a lock may have come free */
function setLockRing(onRing) {
  lockRing = onRing
}

/** @type {(() => void) | undefined} */
let mapRing

/** @param {() => void} onRing called when something may have changed in a shared map */
function setMapRing(onRing) {
  mapRing = onRing
}

function onRing() {
  lastWasRing = true
  const why = bound.answer()
  try {
    if ((why & RING.OUTBOX) !== 0) outboxRing?.()
    if ((why & (RING.LANE | RING.CANCEL)) !== 0) workerRing?.(why)
    if ((why & RING.MESSAGES) !== 0) messageRing?.()
    if ((why & RING.FIRST_BYTES) !== 0) firstBytesRing?.()
    if ((why & RING.LOCKS) !== 0) lockRing?.()
    if ((why & RING.MAP) !== 0) mapRing?.()
  } finally {
    if ((why & RING.TURN) !== 0) takeTurn()
  }
}

let holds = 0

/** Keeps this environment's loop alive until `release`. */
function hold() {
  if (holds++ === 0) bound.keepAlive(true)
}

function release() {
  if (--holds === 0) bound.keepAlive(false)
}

/** Whether the doorbell keeps the loop alive, in the form that handles of Node.js tell it. */
onRing.hasRef = () => holds > 0

// ---- turns of the event loop -------------------------------------------------------------------

// Turns come from the doorbell, not from setImmediate: a program may have replaced setImmediate by one that it runs by
// hand.

/** The functions that wait for a turn. @type {(() => void)[]} */
let waiting = []
let waitingCount = 0
/** An empty list, for the functions that come meanwhile. @type {(() => void)[]} */
let spare = []
const nothing = () => {}
/** A list that was longer is not kept. */
const KEPT = 1024
/** Which of the two functions the engine has called last. */
let lastWasRing = false

/**
 * Calls a function after a turn of the event loop, which stays alive until then. An error that it throws is uncaught,
 * and does not stop the other functions.
 * @param {() => void} action
 */
function later(action) {
  put(waiting, waitingCount++, action)
  if (waitingCount > 1) return
  hold()
  bound.turn(!lastWasRing)
}

/** A promise of the next turn. @returns {Promise<void>} */
function nextTurn() {
  return new Promise(later)
}

function onTurn() {
  lastWasRing = false
  takeTurn()
}
onTurn.hasRef = () => false

function takeTurn() {
  const actions = waiting
  const count = waitingCount
  waiting = spare
  spare = []
  waitingCount = 0
  let at = 0
  try {
    while (at < count) taken(actions, at++)()
  } finally {
    // If one has thrown, the others are called at the next turn.
    while (at < count) later(taken(actions, at++))
    if (count <= KEPT) spare = actions
    release()
  }
}

/**
 * Takes an action out.
 * @param {(() => void)[]} actions
 * @param {number} at
 */
function taken(actions, at) {
  const action = actions[at]
  actions[at] = nothing
  return action
}

const settled = Promise.resolve()

/**
 * Calls a function as a microtask. Not by queueMicrotask, which a program may have replaced by one that it runs by
 * hand.
 * @param {() => void} action
 */
function soon(action) {
  settled.then(action).catch(uncaught)
}

/**
 * Throws an error as uncaught, at a later turn of the loop.
 * @param {unknown} error
 */
function uncaught(error) {
  later(() => {
    throw error
  })
}

// ---- the calls in flight -----------------------------------------------------------------------

/**
 * A call in flight. `settle` gets the payload decoded. It returns whether the call is over: its result may be on its way
 * through a port.
 * @typedef {object} Call
 * @property {(notice: number, about: number, value: unknown) => boolean} settle
 * @property {number} [generation]
 * @property {(worker: number, wait: number) => void} [started]
 * @property {(run: number) => void} [ran]
 * @property {((value: unknown) => void) | undefined} [onProgress]
 * @property {(value: unknown) => void} [chunk] a chunk of a native stream has come
 * @property {(error: unknown) => void} [refuseChunk] a chunk has come that cannot be decoded
 */

/** By ticket. @type {(Call | undefined)[]} */
const calls = []
/** Free tickets. @type {number[]} */
const free = []
let freeCount = 0

/**
 * Gives a ticket to a call. The loop stays alive until the ticket is given back.
 * @param {Call} call
 */
function issue(call) {
  const ticket = freeCount > 0 ? free[--freeCount] : calls.length
  put(calls, ticket, call)
  hold()
  return ticket
}

/** @param {number} ticket */
function giveBack(ticket) {
  calls[ticket] = undefined
  put(free, freeCount++, ticket)
  release()
  if (idle.length > 0 && freeCount === calls.length) for (const resolve of idle.splice(0)) resolve()
}

/** @type {(() => void)[]} */
const idle = []

/**
 * Resolves when no call of this environment is in flight.
 * @returns {Promise<void>}
 */
function whenIdle() {
  return new Promise((resolve) => (freeCount === calls.length ? resolve() : void idle.push(resolve)))
}

const bound = native.open(new Uint8Array(cells.buffer), scratch.bytes, input.bytes, notices.bytes, onRing, onTurn)

module.exports = {
  native,
  bound,
  cells,
  numbers,
  calls,
  issue,
  giveBack,
  whenIdle,
  hold,
  release,
  later,
  nextTurn,
  put,
  soon,
  uncaught,
  setFirstBytesRing,
  setMessageRing,
  setOutboxRing,
  setWorkerRing,
  setLockRing,
  setMapRing
}
