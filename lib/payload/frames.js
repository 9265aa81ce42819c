'use strict'

// Where values are encoded. A value has a frame of its own, so another that a getter in it has encoded disturbs
// nothing: the memory that Rust knows, which saves a copy, or a new one while that is taken.

const { Frame, scratch } = require('../native/memory')

/** Bytes of a frame that is made for a value in a value. */
const NESTED = 1024
/** Larger frames are not kept for the next value. */
const KEPT = 32 * 2 ** 20

let taken = false

/** A frame that nobody else writes to until it is given back. */
function take() {
  if (taken) return new Frame(new ArrayBuffer(NESTED))
  taken = true
  return scratch
}

/** @param {Frame} frame that `take` has given */
function giveBack(frame) {
  if (frame === scratch) taken = false
}

/** Whether `scratch` is nobody's: for what is copied in one go, and no user's code runs meanwhile. */
function isFree() {
  return !taken
}

/**
 * The largest frame so far, until the garbage collector wants it: fresh memory takes the system longer than writing
 * to it takes.
 * @type {WeakRef<Frame> | undefined}
 */
let kept
/** Whether a value is being encoded in it. */
let inUse = false

/**
 * A frame of at least so many bytes, for a value that has outgrown the one it had.
 * @param {number} size
 */
function larger(size) {
  const frame = inUse ? undefined : kept?.deref()
  if (frame !== undefined && frame.bytes.length >= size) {
    inUse = true
    return frame
  }
  const made = new Frame(new ArrayBuffer(size))
  if (!inUse && size <= KEPT) {
    kept = new WeakRef(made)
    inUse = true
  }
  return made
}

/** @param {Frame} frame that `larger` has given: its bytes are read before the next value is encoded */
function leave(frame) {
  if (kept?.deref() === frame) inUse = false
}

module.exports = { take, giveBack, isFree, larger, leave, scratch }
