'use strict'

// The memory to which shared maps write what they give besides simple values, and what lies before it there.

const { bound } = require('../native/environment')
const { Frame } = require('../native/memory')
const { SIZE } = require('../native/wire')

const memory = new ArrayBuffer(SIZE.MAP)
/** By `MAP_CELL`. */
const cells = new Int32Array(memory)
/** By `MAP_NUMBER`. */
const numbers = new Float64Array(memory)
const frame = new Frame(memory)

bound.mapMemory(frame.bytes)

module.exports = { bound, cells, numbers, frame }
