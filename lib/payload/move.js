'use strict'

// A value that is handed over instead of copied: its memory belongs to the receiver afterwards.

const kMoved = Symbol.for('rspool.moved')
/** By these an object says itself what is moved and what arrives; the names are those of piscina's. */
const transferableSymbol = Symbol.for('Piscina.transferable')
const valueSymbol = Symbol.for('Piscina.valueOf')

/** @typedef {import('node:worker_threads').Transferable} Transferable */
/**
 * An object that says itself what is moved and what arrives.
 * @typedef {{ readonly [transferableSymbol]: Transferable | Transferable[], readonly [valueSymbol]: unknown }} Movable
 */

class Moved {
  /**
   * @param {unknown} value
   * @param {Transferable[]} transferList
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

/**
 * @param {unknown} value
 * @returns {value is object}
 */
function isObject(value) {
  return value !== null && typeof value === 'object'
}

/**
 * Whether an object says itself what is moved and what arrives.
 * @param {unknown} value
 * @returns {value is Movable}
 */
function isTransferable(value) {
  return isObject(value) && transferableSymbol in value && valueSymbol in value
}

/**
 * @param {unknown} value a primitive is nothing to move, and stays as it is
 * @param {Transferable[]} [transferList] what to hand over; by default the value or its memory, or what it says
 */
function move(value, transferList) {
  if (transferList !== undefined) return new Moved(value, transferList)
  if (!isObject(value)) return value
  if (isTransferable(value)) return unwrap(value)
  return new Moved(value, [/** @type {Transferable} */ (ArrayBuffer.isView(value) ? value.buffer : value)])
}

/**
 * Marks an object that says itself what is moved, so that it is moved wherever it is sent.
 * @param {object} value
 */
function mark(value) {
  Object.defineProperty(value, kMoved, { value: true, configurable: true, writable: true })
}

/**
 * @param {unknown} value
 * @returns {value is Moved | Movable}
 */
function isMoved(value) {
  return isObject(value) && /** @type {{ [kMoved]?: unknown }} */ (value)[kMoved] === true
}

/**
 * What is sent for a moved value, and what is handed over with it.
 * @param {Moved | Movable} value
 * @returns {Moved}
 */
function unwrap(value) {
  if (value instanceof Moved) return value
  const transferList = value[transferableSymbol]
  return new Moved(value[valueSymbol], Array.isArray(transferList) ? transferList : [transferList])
}

module.exports = { move, mark, unwrap, isMoved, isTransferable, transferableSymbol, valueSymbol }
