'use strict'

// A value that is moved instead of copied: its memory belongs to the receiver afterwards.

const kMoved = Symbol.for('rspool.moved')
/** With these properties an object itself says which part is moved and which value arrives. The names are piscina's. */
const transferableSymbol = Symbol.for('Piscina.transferable')
const valueSymbol = Symbol.for('Piscina.valueOf')

/** @typedef {import('node:worker_threads').Transferable} Transferable */
/**
 * An object that itself says which part is moved and which value arrives.
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
 * Whether an object itself says which part is moved and which value arrives.
 * @param {unknown} value
 * @returns {value is Movable}
 */
function isTransferable(value) {
  return isObject(value) && transferableSymbol in value && valueSymbol in value
}

/**
 * @param {unknown} value a primitive cannot be moved, and stays as it is
 * @param {Transferable[]} [transferList] the objects to move; by default the value or its memory, or the part that it
 *   names itself
 */
function move(value, transferList) {
  if (transferList !== undefined) return new Moved(value, transferList)
  if (!isObject(value)) return value
  if (isTransferable(value)) return unwrap(value)
  return new Moved(value, [/** @type {Transferable} */ (ArrayBuffer.isView(value) ? value.buffer : value)])
}

/**
 * Marks an object that itself says which part is moved, so that it is moved wherever it is sent.
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
 * The value to send for a moved one, and the objects to transfer with it.
 * @param {Moved | Movable} value
 * @returns {Moved}
 */
function unwrap(value) {
  if (value instanceof Moved) return value
  const transferList = value[transferableSymbol]
  return new Moved(value[valueSymbol], Array.isArray(transferList) ? transferList : [transferList])
}

module.exports = { move, mark, unwrap, isMoved, isTransferable, transferableSymbol, valueSymbol }
