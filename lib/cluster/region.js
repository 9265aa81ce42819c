'use strict'

// The shared region as JavaScript sees it: seats of processes, and rows of cells. The layout is the
// native side's; here are only the numbers of the words.

const { Region } = /** @type {any} */ (require('../native/load'))
const { RspoolError } = require('../errors')

// The words of a seat and of the header, as in src/memory/region/layout.rs.
const SEAT = {
  pid: 0,
  beat: 1,
  state: 2,
  debugged: 3,
  capture: 4,
  textLength: 5,
  requests: 6,
  connections: 7,
  inFlight: 8,
  loopDelay: 9,
  utilization: 10,
  heapUsed: 11,
  heapLimit: 12,
  external: 13,
  poolQueued: 14,
  poolRunning: 15,
  errors: 16
}
const STATE = { free: 0, booting: 1, ready: 2, draining: 3 }
const ROWS_USED = 32
const WORDS_PER_LINE = 8

/**
 * The cells that the names need, each kind on cache lines of its own.
 * @param {{ counters: string[], gauges: string[], histograms: Record<string, number[]> }} names
 */
function planCells(names) {
  /** @type {Map<string, { kind: 'counter'|'gauge'|'histogram', at: number, bounds?: number[] }>} */
  const cells = new Map()
  let next = 0
  const place = (/** @type {number} */ words) => {
    const at = next
    next += Math.ceil(words / WORDS_PER_LINE) * WORDS_PER_LINE
    return at
  }
  // What the helper itself counts for each slot comes first.
  const own = { requests: place(1), errors: place(1) }
  for (const name of names.counters) cells.set(name, { kind: 'counter', at: place(1) })
  for (const name of names.gauges) cells.set(name, { kind: 'gauge', at: place(1) })
  for (const [name, bounds] of Object.entries(names.histograms)) {
    // A count for each bound, one for what is above all, then the sum.
    cells.set(name, { kind: 'histogram', at: place(bounds.length + 2), bounds })
  }
  return { cells, own, size: next }
}

/** FNV-1a of the names: both sides of a region must have the same. */
function digest(/** @type {object} */ names) {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(JSON.stringify(names))) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  }
  return hash
}

class SharedRegion {
  /** @param {any} native @param {ReturnType<typeof planCells>} plan */
  constructor(native, plan) {
    this.native = native
    this.plan = plan
    this.layout = native.layout
    this.words = new BigInt64Array(native.buffer())
  }

  /**
   * @param {{ counters: string[], gauges: string[], histograms: Record<string, number[]> }} names
   * @param {{ rows: number, seats: number, tokens: number }} size
   */
  static create(names, { rows, seats, tokens }) {
    const plan = planCells(names)
    return attempt(
      () => new SharedRegion(Region.create({ seats, rows, tokens, cells: plan.size, schema: digest(names) }), plan)
    )
  }

  /**
   * @param {number} fd
   * @param {{ counters: string[], gauges: string[], histograms: Record<string, number[]> }} names
   */
  static open(fd, names) {
    return attempt(() => new SharedRegion(Region.open(fd, digest(names)), planCells(names)))
  }

  /** @param {number} seat @param {number} word */
  get(seat, word) {
    return Number(Atomics.load(this.words, this.#at(seat, word)))
  }

  /** @param {number} seat @param {number} word @param {number} value */
  set(seat, word, value) {
    Atomics.store(this.words, this.#at(seat, word), BigInt(Math.round(value)))
  }

  /** @param {number} seat */
  clear(seat) {
    for (let word = 0; word < this.layout.seatBytes / 8; word++) this.set(seat, word, 0)
  }

  /** Adds to what the helper counts for a row. @param {number} row @param {'requests'|'errors'} name @param {number} n */
  countOwn(row, name, n) {
    if (n > 0) Atomics.add(this.words, this.rowStart(row) + this.plan.own[name], BigInt(n))
  }

  /** @param {number} row @param {'requests'|'errors'} name */
  ownOf(row, name) {
    return Number(Atomics.load(this.words, this.rowStart(row) + this.plan.own[name]))
  }

  /** Writes the text of a seat, as much as there is room for. @param {number} seat @param {string} text */
  writeText(seat, text) {
    const { texts, textBytes } = this.layout
    const bytes = Buffer.alloc(textBytes)
    const length = bytes.write(text)
    for (let at = 0; at < length; at += 8) {
      Atomics.store(this.words, (texts + seat * textBytes + at) / 8, bytes.readBigInt64LE(at))
    }
    this.set(seat, SEAT.textLength, length)
  }

  /** @param {number} row the first word of a row of cells */
  rowStart(row) {
    return (this.layout.cells + row * this.layout.rowBytes) / 8
  }

  /** Readers sum the rows below this. */
  get rowsUsed() {
    return Number(Atomics.load(this.words, ROWS_USED))
  }

  /** @param {number} row A row that nobody ever used is not summed. */
  useRow(row) {
    if (row >= this.rowsUsed) Atomics.store(this.words, ROWS_USED, BigInt(row + 1))
  }

  #at(/** @type {number} */ seat, /** @type {number} */ word) {
    return (this.layout.seats + seat * this.layout.seatBytes) / 8 + word
  }
}

/** @template T @param {() => T} make */
function attempt(make) {
  try {
    return make()
  } catch (error) {
    throw new RspoolError('ERR_RSPOOL_REGION', /** @type {Error} */ (error).message, { cause: error })
  }
}

module.exports = { SharedRegion, SEAT, STATE, ROWS_USED, digest }
