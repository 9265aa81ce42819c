'use strict'

// A value that is handed over instead of copied: its memory belongs to the receiver afterwards.

const kMoved = Symbol.for('rspool.moved')

class Moved {
  /**
   * @param {any} value
   * @param {any[]} transferList
   */
  constructor(value, transferList) {
    this.value = value
    this.transferList = transferList
  }

  get [kMoved]() {
    return true
  }
}

/**
 * @param {any} value
 * @param {any[]} [transferList] what to hand over; by default the value or its memory
 */
function move(value, transferList) {
  return new Moved(value, transferList ?? [ArrayBuffer.isView(value) ? value.buffer : value])
}

/** @param {any} value */
function isMoved(value) {
  return value !== null && typeof value === 'object' && value[kMoved] === true
}

module.exports = { move, isMoved }
