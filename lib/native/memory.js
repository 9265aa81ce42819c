'use strict'

// The memories that this environment shares with its native functions, one for each direction. None is used for
// two, so what is written for a call never spoils what has come in and has not been read.

const { defineProperty } = require('./primordials')
const { SIZE } = require('./wire')

/** A piece of memory in the ways in which it is read and written. */
class Frame {
  // A property that somebody adds to Object.prototype must not appear as a field.
  static {
    Object.setPrototypeOf(this.prototype, null)
  }

  /** @param {ArrayBuffer} memory that belongs to nobody else */
  constructor(memory) {
    // A slice of it asks nobody which class to make.
    defineProperty(memory, 'constructor', { value: undefined })
    this.memory = memory
    this.bytes = Buffer.from(memory)
    this.view = new DataView(memory)
  }
}

const call = new ArrayBuffer(SIZE.CALL)
/** The numbers of a native call, by `CELL`. */
const cells = new Int32Array(call)
/** Those that are floats, by `NUMBER`. */
const numbers = new Float64Array(call)

/** Where values are encoded: see `take` in payload/frames.js. */
const scratch = new Frame(new ArrayBuffer(SIZE.SCRATCH))
/** The input of the task that `exchange` has given. */
const input = new Frame(new ArrayBuffer(SIZE.INPUT))
/** What has come in. */
const notices = new Frame(new ArrayBuffer(SIZE.NOTICES))

module.exports = { Frame, cells, numbers, scratch, input, notices }
