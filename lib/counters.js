'use strict'

// Counters by name in shared memory. Layout, shared with src/memory/counters.rs: no header;
// counter i is the signed 64-bit integer at byte 64 * i, alone in its cache line.

const { types } = require('node:util')
const { RspoolError, invalidArgument } = require('./errors')
const { LINE } = require('./native/wire')
const { anything, didYouMean, readOptions, show } = require('./pool/options/validate')

const TAG = 'rspool.counters'

// A 64-bit integer becomes a number through its two halves: half the time of Number(bigint), and
// the same rounding, since both halves are exact.
const scratch = new BigInt64Array(1)
const unsigned = new Uint32Array(scratch.buffer)
const signed = new Int32Array(scratch.buffer)
scratch[0] = 1n
const LOW = unsigned[0] === 1 ? 0 : 1
const HIGH = 1 - LOW

/** @param {bigint} value */
function toNumber(value) {
  scratch[0] = value
  return signed[HIGH] * 0x100000000 + unsigned[LOW]
}

/**
 * @param {unknown} n
 * @param {string} label
 * @returns {bigint}
 */
function toBigInt(n, label) {
  if (n === 1) return 1n
  if (typeof n === 'number' && Number.isSafeInteger(n)) return BigInt(n)
  if (typeof n === 'bigint' && BigInt.asIntN(64, n) === n) return n
  throw invalidArgument(`${label} must be a safe integer or a BigInt of 64 bits, got ${show(n)}`)
}

/**
 * @param {unknown} names
 * @returns {readonly string[]}
 */
function readNames(names) {
  if (!Array.isArray(names) || names.length === 0) {
    throw invalidArgument(`AtomicCounters: 'names' must be an array of at least one string, got ${show(names)}`)
  }
  const seen = new Set()
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    if (typeof name !== 'string' || name === '') {
      throw invalidArgument(`AtomicCounters: 'names[${i}]' must be a string that is not empty, got ${show(name)}`)
    }
    if (seen.has(name)) throw invalidArgument(`AtomicCounters: 'names' has '${name}' twice`)
    seen.add(name)
  }
  return Object.freeze([...seen])
}

/**
 * @param {unknown} buffer
 * @param {number} count
 * @returns {BigInt64Array}
 */
function readBuffer(buffer, count) {
  if (!types.isSharedArrayBuffer(buffer)) {
    throw invalidArgument(`AtomicCounters: 'buffer' must be a SharedArrayBuffer, got ${show(buffer)}`)
  }
  const { byteLength } = buffer
  if (byteLength < count * LINE.BYTES) {
    throw invalidArgument(
      `AtomicCounters: 'buffer' must have ${LINE.BYTES} bytes for each of ${count} counters, at least ${count * LINE.BYTES}, got ${byteLength}`
    )
  }
  return new BigInt64Array(buffer, 0, count * LINE.CELLS)
}

/** Existing cells, in memory of any kind. A subclass passes them instead of options. */
class Cells {
  /** @param {BigInt64Array} view */
  constructor(view) {
    this.view = view
  }
}

/**
 * The names and cells of an AtomicCounters; undefined for any other object.
 * @type {(value: object) => { names: readonly string[], view: BigInt64Array } | undefined}
 */
let countersOf

/** A method by which the counters of any copy of the package give their names and cells. */
const kCells = Symbol.for('rspool.counters.cells')

class AtomicCounters {
  static {
    countersOf = (value) => (#view in value ? { names: value.#names, view: value.#view } : undefined)
  }

  /** @type {readonly string[]} */
  #names
  /** @type {Map<string, number>} */
  #index = new Map()
  /** @type {BigInt64Array} */
  #view

  /**
   * @param {readonly string[]} names
   * @param {{ buffer?: SharedArrayBuffer } | Cells} [options]
   */
  constructor(names, options) {
    this.#names = readNames(names)
    const count = this.#names.length
    if (options instanceof Cells) {
      this.#view = options.view
    } else {
      const { buffer } = readOptions(options, { buffer: anything }, 'AtomicCounters options')
      this.#view = readBuffer(buffer ?? new SharedArrayBuffer(count * LINE.BYTES), count)
    }
    for (const [i, name] of this.#names.entries()) this.#index.set(name, i * LINE.CELLS)
  }

  /**
   * The counters that another thread has shared.
   * @param {unknown} shared
   */
  static from(shared) {
    const { names, view } = readCounters(shared, 'AtomicCounters.from: the argument')
    return new AtomicCounters(names, new Cells(view))
  }

  [kCells]() {
    return { names: this.#names, view: this.#view }
  }

  get names() {
    return this.#names
  }

  get buffer() {
    return this.#view.buffer
  }

  /** @param {string} name @param {number | bigint} [n] */
  add(name, n = 1) {
    const cell = this.#index.get(name) ?? this.#unknown(name)
    const by = toBigInt(n, 'add: n')
    return sum(Atomics.add(this.#view, cell, by), by)
  }

  /** @param {string} name @param {number | bigint} [n] */
  sub(name, n = 1) {
    const cell = this.#index.get(name) ?? this.#unknown(name)
    const by = toBigInt(n, 'sub: n')
    return sum(Atomics.sub(this.#view, cell, by), -by)
  }

  /** @param {string} name */
  get(name) {
    return toNumber(this.getBigInt(name))
  }

  /** @param {string} name */
  getBigInt(name) {
    return Atomics.load(this.#view, this.#index.get(name) ?? this.#unknown(name))
  }

  /** @param {string} name @param {number | bigint} n */
  set(name, n) {
    const cell = this.#index.get(name) ?? this.#unknown(name)
    return toNumber(Atomics.store(this.#view, cell, toBigInt(n, 'set: n')))
  }

  /** @param {string} name @param {number | bigint} n */
  max(name, n) {
    const to = toBigInt(n, 'max: n')
    return this.#replaceWhile(name, to, (value) => value < to)
  }

  /** @param {string} name @param {number | bigint} n */
  min(name, n) {
    const to = toBigInt(n, 'min: n')
    return this.#replaceWhile(name, to, (value) => value > to)
  }

  /** @param {string} name @param {number | bigint} expected @param {number | bigint} replacement */
  compareExchange(name, expected, replacement) {
    const cell = this.#index.get(name) ?? this.#unknown(name)
    const from = toBigInt(expected, 'compareExchange: expected')
    const to = toBigInt(replacement, 'compareExchange: replacement')
    return toNumber(Atomics.compareExchange(this.#view, cell, from, to))
  }

  /** @param {string} [name] */
  reset(name) {
    /** @param {number} cell */
    const exchange = (cell) => toNumber(Atomics.exchange(this.#view, cell, 0n))
    return name === undefined ? this.#object(exchange) : exchange(this.#index.get(name) ?? this.#unknown(name))
  }

  snapshot() {
    return this.#object((cell) => toNumber(Atomics.load(this.#view, cell)))
  }

  share() {
    const { buffer } = this.#view
    if (!types.isSharedArrayBuffer(buffer)) {
      throw new RspoolError(
        'ERR_RSPOOL_NOT_SHAREABLE',
        'These counters are not in a SharedArrayBuffer, so no message can carry them'
      )
    }
    return { type: TAG, names: [...this.#names], buffer }
  }

  /**
   * @param {string} name
   * @param {bigint} to
   * @param {(value: bigint) => boolean} isDue
   */
  #replaceWhile(name, to, isDue) {
    const cell = this.#index.get(name) ?? this.#unknown(name)
    let value = Atomics.load(this.#view, cell)
    while (isDue(value)) {
      const seen = Atomics.compareExchange(this.#view, cell, value, to)
      if (seen === value) return toNumber(to)
      value = seen
    }
    return toNumber(value)
  }

  /** @param {(cell: number) => number} value */
  #object(value) {
    // fromEntries defines own properties, so that a counter may be called __proto__.
    return Object.fromEntries(this.#names.map((name, i) => [name, value(i * LINE.CELLS)]))
  }

  /** @param {unknown} name @returns {never} */
  #unknown(name) {
    const hint = typeof name === 'string' ? didYouMean(name, this.#names) : ''
    throw invalidArgument(`AtomicCounters: there is no counter ${show(name)}.${hint}`)
  }
}

/**
 * `before + by`, wrapped at 64 bits, as a number.
 * @param {bigint} before
 * @param {bigint} by
 */
function sum(before, by) {
  const a = toNumber(before)
  const b = by === 1n ? 1 : toNumber(by)
  // Beyond 2^53 the parts are rounded, so the sum is computed exactly, and rounded once.
  return Number.isSafeInteger(a) && Number.isSafeInteger(b) ? a + b : toNumber(before + by)
}

/**
 * Whether a value is the counters of another copy of the package.
 * @param {object} value
 * @returns {value is { [kCells]: () => { names: readonly string[], view: BigInt64Array } }}
 */
function hasCells(value) {
  return typeof (/** @type {{ [kCells]?: unknown }} */ (value)[kCells]) === 'function'
}

/**
 * The names and cells of counters, given as an object of counters or as the result of `share()`.
 * @param {unknown} value
 * @param {string} label
 * @returns {{ names: readonly string[], view: BigInt64Array }}
 */
function readCounters(value, label) {
  const isObject = value !== null && typeof value === 'object'
  const counters = isObject ? countersOf(value) : undefined
  if (counters !== undefined) return counters
  if (isObject && hasCells(value)) return value[kCells]()
  const own = (/** @type {string} */ name) =>
    isObject && Object.hasOwn(value, name) ? /** @type {Record<string, unknown>} */ (value)[name] : undefined
  if (own('type') !== TAG) {
    throw invalidArgument(`${label} must be what share() of an AtomicCounters gave, got ${show(value)}`)
  }
  const names = readNames(own('names'))
  return { names, view: readBuffer(own('buffer'), names.length) }
}

module.exports = { AtomicCounters, Cells, readCounters }
