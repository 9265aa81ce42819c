'use strict'

// The frames in which values are encoded. Each value has its own frame, so a getter in a value may encode another
// value. The frame is the memory that Rust knows, which saves a copy, or a new one while that is taken.

const { Frame, scratch } = require('../native/memory')

/** Bytes of a new frame, for a value that is encoded within another. */
const NESTED = 1024
/** Larger frames are not kept for the next value. */
const KEPT = 32 * 2 ** 20

let taken = false

/** A frame that has no other writer until it is given back. */
function take() {
  if (taken) return new Frame(new ArrayBuffer(NESTED))
  taken = true
  return scratch
}

/** @param {Frame} frame that `take` has given */
function giveBack(frame) {
  if (frame === scratch) taken = false
}

/** Whether `scratch` is free, for a value that is copied in one go, without running code of the user. */
function isFree() {
  return !taken
}

/**
 * The largest frame so far, until the garbage collector wants it: getting fresh memory from the system takes longer
 * than writing to it.
 * @type {WeakRef<Frame> | undefined}
 */
let kept
/** Whether a value is being encoded in the largest frame. */
let inUse = false

/**
 * A frame of at least so many bytes, for a value that has outgrown its frame.
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

/** @param {Frame} frame that `larger` has given. Its bytes are read before the next value is encoded */
function leave(frame) {
  if (kept?.deref() === frame) inUse = false
}

module.exports = { take, giveBack, isFree, larger, leave, scratch }
