'use strict'

// The memories that this environment shares with its native functions, one per direction. No memory serves two
// directions, so writing for a call never overwrites unread data that has come in.

const { bufferFrom, defineProperty } = require('./primordials')
const { SIZE } = require('./wire')

/** A piece of memory, with the views by which it is read and written. */
class Frame {
  // A property that somebody adds to Object.prototype must not appear as a field.
  static {
    Object.setPrototypeOf(this.prototype, null)
  }

  /** @param {ArrayBuffer} memory that has no other owner */
  constructor(memory) {
    // Without this, a slice would look up the class to make, which a program can change.
    defineProperty(memory, 'constructor', { value: undefined })
    this.memory = memory
    this.bytes = bufferFrom(memory)
    this.view = new DataView(memory)
  }
}

const call = new ArrayBuffer(SIZE.CALL)
/** The numbers of a native call, by `CELL`. */
const cells = new Int32Array(call)
/** The floats of a native call, by `NUMBER`. */
const numbers = new Float64Array(call)

/** The memory in which values are encoded: see `take` in payload/frames.js. */
const scratch = new Frame(new ArrayBuffer(SIZE.SCRATCH))
/** The input of the task that `exchange` has given. */
const input = new Frame(new ArrayBuffer(SIZE.INPUT))
/** The notices that have come in. */
const notices = new Frame(new ArrayBuffer(SIZE.NOTICES))

module.exports = { Frame, cells, numbers, scratch, input, notices }
