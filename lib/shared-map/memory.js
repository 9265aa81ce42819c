'use strict'

// The memory to which shared maps write the values that are not simple. The cells and numbers about a value lie before
// it.

const { bound } = require('../native/environment')
const { Frame } = require('../native/memory')
const { SIZE } = require('../native/wire')

const memory = new ArrayBuffer(SIZE.MAP)
/** Indexed by `MAP_CELL`. */
const cells = new Int32Array(memory)
/** Indexed by `MAP_NUMBER`. */
const numbers = new Float64Array(memory)
const frame = new Frame(memory)

bound.mapMemory(frame.bytes)

module.exports = { bound, cells, numbers, frame }
