'use strict'

// Where values are encoded. A value has a frame of its own, so another that a getter in it has encoded disturbs
// nothing: the memory that Rust knows, which saves a copy, or a new one while that is taken.

const { Frame, scratch } = require('../native/memory')

/** Bytes of a frame that is made for a value in a value. */
const NESTED = 1024

let taken = false

/** A frame that nobody else writes to until it is given back. */
function take() {
  if (taken) return new Frame(new ArrayBuffer(NESTED))
  taken = true
  return scratch
}

/** @param {Frame} frame */
function giveBack(frame) {
  if (frame === scratch) taken = false
}

/** Whether `scratch` is nobody's: for what is copied in one go, and no user's code runs meanwhile. */
function isFree() {
  return !taken
}

module.exports = { take, giveBack, isFree, scratch }
