'use strict'

// What the processes of stress/torture-map.js have begun and done, in shared memory of its own, which a kill leaves as it is.
// Each process writes its own row: "begun" before a call, "done" when the call has returned.

const { SharedMap } = require('../../lib/shared-map')

/** Keys that only one process writes. */
const KEYS = 200
/** Counters that all processes raise. */
const COUNTERS = ['count:plain', 'count:large', 'count:updated', 'count:native']
/** The cells of a row. Each counter and each key has two cells: begun, and done. */
const CELL = { OPERATIONS: 0, BUSY: 1, COUNTERS: 2, KEYS: 2 + 2 * COUNTERS.length }
const ROW = CELL.KEYS + 2 * KEYS
const BYTES = 2 ** 20

/** A ledger in the last words of a map that is used for nothing else. */
class Ledger {
  #cells
  #at

  /** @param {import('../../lib/native/addon').NativeMap} native @param {number} seat */
  constructor(native, seat) {
    const words = /** @type {ArrayBuffer} */ (native.words(true))
    this.#cells = new Float64Array(words, words.byteLength - BYTES / 2, BYTES / 16)
    this.#at = seat * ROW
  }

  /** @param {number} seats */
  static create(seats) {
    if (seats * ROW > BYTES / 16) throw new Error('too many processes for the ledger')
    const { native } = SharedMap.create({ bytes: BYTES, ttl: Infinity, evict: true, maxValueBytes: 1024 }, seats + 1)
    return { native, of: (/** @type {number} */ seat) => new Ledger(native, seat) }
  }

  /** @param {number} cell */
  get(cell) {
    return this.#cells[this.#at + cell]
  }

  /** @param {number} cell @param {number} value */
  put(cell, value) {
    this.#cells[this.#at + cell] = value
  }

  /** @param {number} cell */
  raise(cell) {
    this.#cells[this.#at + cell]++
  }
}

/** @param {number} counter */
const counterCell = (counter) => CELL.COUNTERS + 2 * counter
/** @param {number} key */
const keyCell = (key) => CELL.KEYS + 2 * key

module.exports = { Ledger, CELL, KEYS, COUNTERS, counterCell, keyCell }
