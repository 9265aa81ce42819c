'use strict'

// The shared region as JavaScript sees it: seats of processes, and rows of cells. The region says where the sections
// are, and the wire says what their words mean.

const { attempt } = require('../native/attempt')
const { Region, RegionLook } = require('../native/load')
const { SLOT, SLOT_STATE, SHARED, PHASE, REQUEST_WORD, LINE } = require('../native/wire')
const { microseconds } = require('../microseconds')

/** The public names of the states of slots. */
const SLOT_STATES = Object.freeze({
  stopped: SLOT_STATE.STOPPED,
  booting: SLOT_STATE.BOOTING,
  ready: SLOT_STATE.READY,
  draining: SLOT_STATE.DRAINING,
  'backing-off': SLOT_STATE.BACKING_OFF,
  failed: SLOT_STATE.FAILED,
  stalled: SLOT_STATE.STALLED
})
/** The public names of the phases of a cluster. */
const PHASES = Object.freeze({ running: PHASE.RUNNING, stopping: PHASE.STOPPING, stopped: PHASE.STOPPED })
/** How many different locks the processes may want at a time. Each process counts for itself. */
const CLAIMS = 4096
/** The index of the upper half of a word. */
const UPPER = new Uint8Array(new Uint32Array([1]).buffer)[0]

/** @typedef {{ counters: string[], gauges: string[], histograms: Record<string, number[]> }} Names */
/** @typedef {{ offset: number, count: number, stride: number }} Section */
/** @typedef {Record<'shared'|'seats'|'tokens'|'cells'|'texts'|'slots'|'requests'|'about'|'ring', Section> & { total: number }} Layout */

/**
 * The cells that the names need, each kind on cache lines of its own.
 * @param {Names} names
 */
function planCells(names) {
  /** @type {Map<string, { kind: 'counter'|'gauge'|'histogram', at: number, bounds?: number[] }>} */
  const cells = new Map()
  let next = 0
  const place = (/** @type {number} */ words) => {
    const at = next
    next += Math.ceil(words / LINE.CELLS) * LINE.CELLS
    return at
  }
  // The helper's own counts for each slot come first.
  const own = { requests: place(1), errors: place(1), relayed: place(1) }
  for (const name of names.counters) cells.set(name, { kind: 'counter', at: place(1) })
  for (const name of names.gauges) cells.set(name, { kind: 'gauge', at: place(1) })
  for (const [name, bounds] of Object.entries(names.histograms)) {
    // One count per bound, one for values above all bounds, then the sum.
    cells.set(name, { kind: 'histogram', at: place(bounds.length + 2), bounds })
  }
  return { cells, own, size: next }
}

/** FNV-1a of the names. Both sides of a region must have the same value. */
function digest(/** @type {object} */ names) {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(JSON.stringify(names))) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  }
  return hash
}

/** The part of a region that every process that maps it can read. */
class RegionWords {
  /** @param {Layout} layout @param {BigInt64Array} words @param {ReturnType<typeof planCells>} plan */
  constructor(layout, words, plan) {
    this.layout = layout
    this.words = words
    this.plan = plan
  }

  /** @param {number} seat @param {number} word */
  get(seat, word) {
    return Number(Atomics.load(this.words, wordAt(this.layout.seats, seat, word)))
  }

  /** @param {number} slot @param {number} word */
  getSlot(slot, word) {
    return Number(Atomics.load(this.words, wordAt(this.layout.slots, slot, word)))
  }

  /** Why the last process of the slot died. @param {number} slot */
  causeOf(slot) {
    const at = wordAt(this.layout.slots, slot, SLOT.CAUSE)
    return this.#text(at, this.getSlot(slot, SLOT.CAUSE_LENGTH), this.layout.slots.stride - SLOT.CAUSE * 8)
  }

  /**
   * One of the two requests of a seat; undefined if there is none, or if it keeps changing.
   * @param {number} seat
   * @param {number} which
   */
  requestOf(seat, which) {
    const { requests } = this.layout
    const at = wordAt(requests, seat, 0) + (which * requests.stride) / 16
    for (let attempt = 0; attempt < 3; attempt++) {
      const began = Atomics.load(this.words, at + REQUEST_WORD.BEGAN)
      if (began === 0n) return undefined
      const length = Number(Atomics.load(this.words, at + REQUEST_WORD.LENGTH))
      const text = this.#text(at + REQUEST_WORD.TEXT, length, requests.stride / 2 - REQUEST_WORD.TEXT * 8)
      if (Atomics.load(this.words, at + REQUEST_WORD.BEGAN) === began) return { text, began: Number(began) }
    }
    return undefined
  }

  /** @param {number} word */
  getShared(word) {
    return Number(Atomics.load(this.words, wordAt(this.layout.shared, 0, word)))
  }

  /** @param {number} row @param {keyof ReturnType<typeof planCells>['own']} name */
  ownOf(row, name) {
    return Number(Atomics.load(this.words, this.rowStart(row) + this.plan.own[name]))
  }

  /** The description of the cluster, as JSON. */
  get about() {
    const { about } = this.layout
    return this.#text(about.offset / 8, about.stride, about.stride).replace(/\0+$/, '')
  }

  /** @param {number} row the first word of a row of cells */
  rowStart(row) {
    return wordAt(this.layout.cells, row, 0)
  }

  /** Readers sum the rows below this. */
  get rowsUsed() {
    return this.getShared(SHARED.ROWS_USED)
  }

  /** The free tokens of the CPU budget. */
  freeTokens() {
    const { tokens } = this.layout
    let free = 0
    for (let token = 0; token < tokens.count; token++)
      if (Atomics.load(this.words, wordAt(tokens, token, 0)) === 0n) free++
    return free
  }

  #text(/** @type {number} */ at, /** @type {number} */ length, /** @type {number} */ room) {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, room)))
    const word = Buffer.alloc(8)
    for (let byte = 0; byte < bytes.length; byte += 8) {
      word.writeBigInt64LE(Atomics.load(this.words, at + byte / 8))
      word.copy(bytes, byte)
    }
    return bytes.toString()
  }
}

/** A region of the cluster that this process belongs to. */
class SharedRegion extends RegionWords {
  #halves

  /** @param {import('../native/addon').NativeRegion} native @param {ReturnType<typeof planCells>} plan */
  constructor(native, plan) {
    super(native.layout, new BigInt64Array(native.buffer()), plan)
    this.native = native
    this.bytes = Buffer.from(this.words.buffer)
    this.#halves = new Int32Array(this.words.buffer)
  }

  /**
   * @param {Names} names
   * @param {{ rows: number, seats: number, slots?: number, tokens: number, claims?: number, once?: number, limits?: number, ring?: number }} size
   * @param {object} [about] the description for programs outside
   */
  static create(names, { rows, seats, slots = 0, tokens, claims = 0, once = 0, limits = 0, ring = 0 }, about = {}) {
    const plan = planCells(names)
    const spec = {
      seats,
      slots,
      rows,
      tokens,
      claims,
      once,
      limits,
      ring,
      cells: plan.size,
      schema: digest(names),
      about: JSON.stringify(about)
    }
    return attempt(() => new SharedRegion(Region.create(spec), plan))
  }

  /**
   * @param {number} fd
   * @param {Names} names
   */
  static open(fd, names) {
    return attempt(() => new SharedRegion(Region.open(fd, digest(names)), planCells(names)))
  }

  /** @param {number} seat @param {number} word @param {number} value */
  set(seat, word, value) {
    Atomics.store(this.words, wordAt(this.layout.seats, seat, word), BigInt(Math.round(value)))
  }

  /** @param {number} slot @param {number} word @param {number} value */
  setSlot(slot, word, value) {
    Atomics.store(this.words, wordAt(this.layout.slots, slot, word), BigInt(Math.round(value)))
  }

  /** @param {number} slot @param {string} cause why its process died */
  setCause(slot, cause) {
    const room = this.layout.slots.stride - SLOT.CAUSE * 8
    const bytes = Buffer.alloc(room)
    const length = bytes.write(cause)
    for (let at = 0; at < length; at += 8)
      Atomics.store(this.words, wordAt(this.layout.slots, slot, SLOT.CAUSE + at / 8), bytes.readBigInt64LE(at))
    this.setSlot(slot, SLOT.CAUSE_LENGTH, length)
  }

  /** @param {number} word @param {number} value */
  setShared(word, value) {
    Atomics.store(this.words, wordAt(this.layout.shared, 0, word), BigInt(Math.round(value)))
  }

  /** @param {number} seat */
  clear(seat) {
    const { seats, requests } = this.layout
    const first = wordAt(requests, seat, 0)
    this.words.fill(0n, first, first + requests.stride / 8)
    for (let word = 0; word < seats.stride / 8; word++) this.set(seat, word, 0)
  }

  /**
   * Sets a word that only this process writes, to a whole number that is not negative.
   * @param {number} seat
   * @param {number} word
   * @param {number} value
   */
  put(seat, word, value) {
    this.#store(wordAt(this.layout.seats, seat, word), value)
  }

  /** Adds one to a count of the helper for a row. @param {number} row @param {keyof ReturnType<typeof planCells>['own']} name */
  countOwn(row, name) {
    Atomics.add(this.words, this.rowStart(row) + this.plan.own[name], 1n)
  }

  /**
   * Writes one of the two requests of a seat, as much of its text as there is room for. Only the process that
   * has the seat writes. A reader checks that the time of the beginning is the same afterwards.
   * @param {number} seat
   * @param {number} which
   * @param {string} text
   * @param {number} began
   */
  writeRequest(seat, which, text, began) {
    const { requests } = this.layout
    const half = requests.stride / 2
    const start = requests.offset + seat * requests.stride + which * half
    this.#store(start / 8 + REQUEST_WORD.BEGAN, 0)
    const length = this.bytes.write(text, start + REQUEST_WORD.TEXT * 8, half - REQUEST_WORD.TEXT * 8, 'latin1')
    this.#store(start / 8 + REQUEST_WORD.LENGTH, length)
    this.#store(start / 8 + REQUEST_WORD.BEGAN, began)
  }

  /**
   * The same for a request whose text is there already.
   * @param {number} seat
   * @param {number} which
   * @param {number} began 0 for none
   */
  beginRequest(seat, which, began) {
    const { offset, stride } = this.layout.requests
    this.#store((offset + seat * stride + (which * stride) / 2) / 8 + REQUEST_WORD.BEGAN, began)
  }

  /** Written in two halves, the upper one first. A reader that comes in between reads again. */
  #store(/** @type {number} */ at, /** @type {number} */ value) {
    Atomics.store(this.#halves, at * 2 + UPPER, Math.floor(value / 2 ** 32))
    Atomics.store(this.#halves, at * 2 + 1 - UPPER, value | 0)
  }

  /** @param {number} row a row that was never used is not summed */
  useRow(row) {
    if (row >= this.rowsUsed) this.setShared(SHARED.ROWS_USED, row + 1)
  }
}

/** The region of another program's cluster: a copy, which `refresh` takes anew. Writing into the copy has no effect. */
class RegionCopy extends RegionWords {
  #look

  /** @param {import('../native/addon').RegionLook} look @param {ReturnType<typeof planCells>} plan */
  constructor(look, plan) {
    super(look.layout, new BigInt64Array(look.layout.total / 8), plan)
    this.#look = look
    this.refresh()
  }

  /** @param {string} path as /proc/<pid>/fd/<number> */
  static open(path) {
    return attempt(() => {
      const look = RegionLook.open(path)
      const about = JSON.parse(new RegionCopy(look, planCells(NO_NAMES)).about || '{}')
      const copy = new RegionCopy(look, planCells(about.names ?? NO_NAMES))
      return { region: copy, about }
    })
  }

  refresh() {
    this.#look.copy(this.words)
  }
}

/** @type {Names} */
const NO_NAMES = { counters: [], gauges: [], histograms: {} }

/** @param {Section} section @param {number} part @param {number} word */
function wordAt({ offset, stride }, part, word) {
  return (offset + part * stride) / 8 + word
}

/**
 * The public name of a number in the region.
 * @template {string} Name
 * @param {Readonly<Record<Name, number>>} names
 * @param {number} number
 */
function nameOf(names, number) {
  return /** @type {Name[]} */ (Object.keys(names)).find((name) => names[name] === number)
}

module.exports = {
  RegionWords,
  SharedRegion,
  RegionCopy,
  SLOT_STATES,
  PHASES,
  CLAIMS,
  nameOf,
  microseconds,
  digest
}
