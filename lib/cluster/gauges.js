'use strict'

// Gauges and histograms on the cells of the region. As with counters, each slot writes its own row
// and a reading is the sum. Fractions are kept as the bits of a double, changed by compare-and-swap.

const { invalidArgument } = require('../errors')
const { didYouMean, show } = require('../pool/options/validate')

const float = new Float64Array(1)
const bits = new BigInt64Array(float.buffer)

/** @param {bigint} word */
function toFloat(word) {
  bits[0] = word
  return float[0]
}

/** @param {number} value */
function toBits(value) {
  float[0] = value
  return bits[0]
}

/** @param {BigInt64Array} words @param {number} at @param {number} value */
function addFloat(words, at, value) {
  for (let seen = Atomics.load(words, at); ; ) {
    const sum = toFloat(seen) + value
    const before = Atomics.compareExchange(words, at, seen, toBits(sum))
    if (before === seen) return sum
    seen = before
  }
}

/** @param {unknown} value */
function assertFinite(value) {
  if (!Number.isFinite(value)) throw invalidArgument(`expected a finite number, got ${show(value)}`)
}

/** The cells of one kind of a region, as one row writes them. */
class Cells {
  /** @type {Map<string, { at: number, bounds: number[] }>} */
  cells = new Map()

  /**
   * @param {import('./region').RegionWords} region
   * @param {number} row
   * @param {'gauge'|'histogram'} kind
   */
  constructor(region, row, kind) {
    this.region = region
    this.words = region.words
    this.own = region.rowStart(row)
    this.kind = kind
    for (const [name, cell] of region.plan.cells) {
      if (cell.kind === kind) this.cells.set(name, { at: cell.at, bounds: cell.bounds ?? [] })
    }
  }

  /** @param {number} row */
  useRow(row) {
    this.own = this.region.rowStart(row)
  }

  /** @param {string} name */
  cell(name) {
    const cell = this.cells.get(name)
    if (cell === undefined) {
      throw invalidArgument(
        `no ${this.kind} ${show(name)} among '${this.kind}s'.${didYouMean(String(name), this.cells.keys())}`
      )
    }
    return cell
  }
}

class SharedGauges {
  #cells

  /** @param {import('./region').RegionWords} region @param {number} row */
  constructor(region, row) {
    this.#cells = new Cells(region, row, 'gauge')
  }

  /** @internal Moves the values to another row. @param {number} row */
  useRow(row) {
    const { words, cells, own } = this.#cells
    this.#cells.useRow(row)
    for (const { at } of cells.values())
      Atomics.store(words, this.#cells.own + at, Atomics.exchange(words, own + at, 0n))
  }

  get names() {
    return [...this.#cells.cells.keys()]
  }

  /** Sets this process' share. @param {string} name @param {number} value */
  set(name, value) {
    assertFinite(value)
    Atomics.store(this.#cells.words, this.#cells.own + this.#cells.cell(name).at, toBits(value))
  }

  /** Adds to this process' share. @param {string} name */
  add(name, value = 1) {
    assertFinite(value)
    return addFloat(this.#cells.words, this.#cells.own + this.#cells.cell(name).at, value)
  }

  /** The sum over all rows. @param {string} name */
  get(name) {
    const { region } = this.#cells
    let sum = 0
    for (let row = 0; row < region.rowsUsed; row++) sum += this.getOf(row, name)
    return sum
  }

  /** The share of one row. @param {number} row @param {string} name */
  getOf(row, name) {
    const { region, words } = this.#cells
    return toFloat(Atomics.load(words, region.rowStart(row) + this.#cells.cell(name).at))
  }

  snapshot() {
    return Object.fromEntries(this.names.map((name) => [name, this.get(name)]))
  }

  /** Clears the row of a process that has gone. @param {number} row */
  clearRow(row) {
    const { region, words, cells } = this.#cells
    for (const { at } of cells.values()) Atomics.store(words, region.rowStart(row) + at, 0n)
  }
}

class SharedHistograms {
  #cells

  /** @param {import('./region').RegionWords} region @param {number} row */
  constructor(region, row) {
    this.#cells = new Cells(region, row, 'histogram')
  }

  /** @internal @param {number} row */
  useRow(row) {
    this.#cells.useRow(row)
  }

  get names() {
    return [...this.#cells.cells.keys()]
  }

  /** Counts a value in the first bucket whose bound is not below it. @param {string} name @param {number} value */
  observe(name, value) {
    assertFinite(value)
    const { words, own } = this.#cells
    const { at, bounds } = this.#cells.cell(name)
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]) bucket++
    addFloat(words, own + at + bounds.length + 1, value)
    Atomics.add(words, own + at + bucket, 1n)
  }

  /**
   * The sum over all rows, or one row. `buckets[i]` counts values up to `bounds[i]` that are above the bound before.
   * @param {string} name
   * @param {number} [only]
   */
  get(name, only) {
    const { region, words } = this.#cells
    const { at, bounds } = this.#cells.cell(name)
    const buckets = new Array(bounds.length + 1).fill(0)
    let sum = 0
    for (let row = only ?? 0; row < (only === undefined ? region.rowsUsed : only + 1); row++) {
      const start = region.rowStart(row) + at
      for (let bucket = 0; bucket < buckets.length; bucket++)
        buckets[bucket] += Number(Atomics.load(words, start + bucket))
      sum += toFloat(Atomics.load(words, start + buckets.length))
    }
    return { bounds, buckets, sum, count: buckets.reduce((all, count) => all + count, 0) }
  }

  snapshot() {
    return Object.fromEntries(this.names.map((name) => [name, this.get(name)]))
  }
}

module.exports = { SharedGauges, SharedHistograms }
