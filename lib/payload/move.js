'use strict'

// A value that is handed over instead of copied: its memory belongs to the receiver afterwards.

const kMoved = Symbol.for('rspool.moved')
/** By these an object says itself what is moved and what arrives; the names are those of piscina's. */
const transferableSymbol = Symbol.for('Piscina.transferable')
const valueSymbol = Symbol.for('Piscina.valueOf')

class Moved {
  /**
   * @param {unknown} value
   * @param {any[]} transferList
   */
  constructor(value, transferList) {
    this.value = value
    this.transferList = transferList
  }

  get [kMoved]() {
    return true
  }

  get [transferableSymbol]() {
    return this.transferList.length === 1 ? this.transferList[0] : this.transferList
  }

  get [valueSymbol]() {
    return this.value
  }
}

/** @param {any} value */
function isObject(value) {
  return value !== null && typeof value === 'object'
}

/**
 * Whether an object says itself what is moved and what arrives.
 * @param {any} value
 */
function isTransferable(value) {
  return isObject(value) && transferableSymbol in value && valueSymbol in value
}

/**
 * @param {any} value a primitive is nothing to move, and stays as it is
 * @param {unknown[]} [transferList] what to hand over; by default the value or its memory, or what it says
 */
function move(value, transferList) {
  if (transferList !== undefined) return new Moved(value, transferList)
  if (!isObject(value)) return value
  if (isTransferable(value)) return unwrap(value)
  return new Moved(value, [ArrayBuffer.isView(value) ? value.buffer : value])
}

/**
 * Marks an object that says itself what is moved, so that it is moved wherever it is sent.
 * @param {object} value
 */
function mark(value) {
  Object.defineProperty(value, kMoved, { value: true, configurable: true, writable: true })
}

/** @param {any} value */
function isMoved(value) {
  return isObject(value) && value[kMoved] === true
}

/**
 * What is sent for a moved value, and what is handed over with it.
 * @param {any} value
 * @returns {Moved}
 */
function unwrap(value) {
  if (value instanceof Moved) return value
  const transferList = value[transferableSymbol]
  return new Moved(value[valueSymbol], Array.isArray(transferList) ? transferList : [transferList])
}

module.exports = { move, mark, unwrap, isMoved, isTransferable, transferableSymbol, valueSymbol }
