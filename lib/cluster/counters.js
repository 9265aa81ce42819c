'use strict'

// Counters that all processes of a cluster add to. Each slot has a row of cells and adds to its own
// row; a reading is the sum over the rows. A row outlives its processes, so no count is lost and no reading goes down.

const { RspoolError, invalidArgument } = require('../errors')
const { didYouMean, show } = require('../pool/options/validate')
const { SharedRegion } = require('./region')

class ClusterCounters {
  #words
  #first
  #stride
  #own
  #region
  #cells = new Map()
  #share

  /**
   * @param {import('./region').RegionWords} region
   * @param {number} row the row of the slot that this process has
   * @param {{ fd: number, names: object }} share
   */
  constructor(region, row, share) {
    this.#words = region.words
    this.#first = region.rowStart(0)
    this.#stride = region.layout.cells.stride / 8
    this.#own = region.rowStart(row)
    this.#region = region
    for (const [name, { kind, at }] of region.plan.cells) {
      if (kind === 'counter') this.#cells.set(name, at)
    }
    this.#share = { ...share, row }
  }

  /**
   * The counters in another thread of the same process, from the result of `share()`.
   * @param {{ fd: number, names: import('./region').Names, row: number }} shared
   */
  static from(shared) {
    if (shared === null || typeof shared !== 'object' || !Number.isInteger(shared.fd)) {
      throw invalidArgument(`ClusterCounters.from: expected what share() gave, got ${show(shared)}`)
    }
    return new ClusterCounters(SharedRegion.open(shared.fd, shared.names), shared.row, {
      fd: shared.fd,
      names: shared.names
    })
  }

  /** @internal From now on adds to the row of another slot. @param {number} row */
  useRow(row) {
    this.#own = this.#region.rowStart(row)
    this.#share = { ...this.#share, row }
  }

  /** The names, in the order given. */
  get names() {
    return [...this.#cells.keys()]
  }

  /** Adds to this process' share, and gives the new total. Other processes may be adding at the same time. */
  add(/** @type {string} */ name, /** @type {number|bigint} */ n = 1) {
    const cell = this.#cell(name)
    Atomics.add(this.#words, this.#own + cell, toCell(n))
    return Number(this.#sum(cell))
  }

  /** @param {string} name @param {number|bigint} [n] */
  sub(name, n = 1) {
    return this.add(name, -n)
  }

  /** @param {string} name */
  get(name) {
    return Number(this.#sum(this.#cell(name)))
  }

  /** @param {string} name */
  getBigInt(name) {
    return this.#sum(this.#cell(name))
  }

  /**
   * Sets the total to `value`: takes the count of each row, and adds the value to this row. So no row is below zero,
   * and counts that others add meanwhile are kept.
   * @param {string} name
   * @param {number|bigint} value
   */
  set(name, value) {
    const cell = this.#cell(name)
    const start = toCell(value)
    this.#take(cell)
    Atomics.add(this.#words, this.#own + cell, start)
    return value
  }

  /** Sets one counter, or all, to zero, and gives the values before. @param {string} [name] @returns {any} */
  reset(name) {
    if (name === undefined) return Object.fromEntries(this.names.map((each) => [each, this.reset(each)]))
    return Number(this.#take(this.#cell(name)))
  }

  /** All totals, as a plain object. */
  snapshot() {
    /** @type {Record<string, number>} */
    const all = {}
    for (const [name, cell] of this.#cells) all[name] = Number(this.#sum(cell))
    return all
  }

  /** The counts of one row. @param {number} row */
  snapshotOf(row) {
    /** @type {Record<string, number>} */
    const all = {}
    for (const [name, cell] of this.#cells)
      all[name] = Number(Atomics.load(this.#words, this.#first + row * this.#stride + cell))
    return all
  }

  /** Plain data for `ClusterCounters.from()` in a thread of this process. */
  share() {
    return { ...this.#share }
  }

  toJSON() {
    return this.snapshot()
  }

  max() {
    return this.#noSingleCell('max')
  }
  min() {
    return this.#noSingleCell('min')
  }
  compareExchange() {
    return this.#noSingleCell('compareExchange')
  }

  /** @param {string} method @returns {never} */
  #noSingleCell(method) {
    throw new RspoolError(
      'ERR_RSPOOL_UNSUPPORTED',
      `${method}() needs one cell, and a cluster's counter is a sum over processes: use a gauge`
    )
  }

  #cell(/** @type {string} */ name) {
    const cell = this.#cells.get(name)
    if (cell === undefined) {
      throw invalidArgument(`no counter ${show(name)} among 'counters'.${didYouMean(String(name), this.#cells.keys())}`)
    }
    return cell
  }

  /** Sets all rows to zero, and gives their sum before. */
  #take(/** @type {number} */ cell) {
    let sum = 0n
    for (const at of this.#rows(cell)) sum += Atomics.exchange(this.#words, at, 0n)
    return sum
  }

  /** The place of a cell in each row. */
  *#rows(/** @type {number} */ cell) {
    const rows = this.#region.rowsUsed
    for (let row = 0; row < rows; row++) yield this.#first + row * this.#stride + cell
  }

  #sum(/** @type {number} */ cell) {
    const words = this.#words
    const rows = this.#region.rowsUsed
    let at = this.#first + cell
    let sum = 0n
    for (let row = 0; row < rows; row++, at += this.#stride) sum += Atomics.load(words, at)
    return sum
  }
}

function toCell(/** @type {number|bigint} */ n) {
  if (typeof n === 'bigint' && BigInt.asIntN(64, n) === n) return n
  if (!Number.isSafeInteger(n))
    throw invalidArgument(`a counter takes a safe integer or a BigInt of 64 bits, got ${show(n)}`)
  return BigInt(n)
}

module.exports = { ClusterCounters }
