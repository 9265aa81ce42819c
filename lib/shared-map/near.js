'use strict'

// Decoded values and texts that this thread keeps, each for as long as its entry in the map is the same. Two words of the
// map tell that: the way of the entry, which names its block, and the generation of that block.

const { endianness } = require('node:os')
const { MAP_CELL, MAP_NUMBER, MAP_TICK, MAP_WORD } = require('../native/wire')
const { now, millisecondsAt } = require('../microseconds')
const { cells, numbers } = require('./memory')

/** The most entries that are kept, and the most bytes of them, as encoded in the map. */
const MOST = 10_000
const MOST_BYTES = 16 * 2 ** 20
/** A text is kept when it is read a second time. This many first reads are remembered. */
const REMEMBERED = 4096
/** After every so many hits, the entry is marked in the map as read, so that it is not evicted. */
const TELL_AFTER = 16
/** The map's coarse clock (src/memory/map/ticks.rs). Reading it costs a tenth of reading the exact clock. */
const TICKS = MAP_WORD.TICKS * 2 + (endianness() === 'BE' ? 1 : 0)
/** A tick before all others. */
const NOT_EVER = -(2 ** 31)

/**
 * `ends` is when the entry ends, in whole milliseconds of this thread's clock, which are compared quickest; undefined means
 * never. Before the tick `surely` the entry has not ended, whatever the exact clock says.
 * @typedef {{ value: unknown, bytes: number, way: number, block: number, state: number, generation: number, clock: number, bit: number, ends: number|undefined, surely: number, hits: number }} Kept
 */

class Near {
  /** Entries that were kept or read lately. @type {Map<string, Kept>} */
  #young = new Map()
  /** Entries that were young before. Once there are enough young ones, those replace the old ones. @type {Map<string, Kept>} */
  #old = new Map()
  /** Bytes of the young entries. */
  #bytes = 0
  #words
  #keepTime
  /** Per block, a hash of the block and of the generation in which a text was last read there. */
  #seen = new Int32Array(REMEMBERED)

  /** @param {ArrayBuffer} words of the map @param {() => boolean} keepTime whether its coarse clock runs from now on */
  constructor(words, keepTime) {
    this.#words = new Int32Array(words)
    this.#keepTime = keepTime
  }

  /**
   * The value of a key, if it is the same as when it was kept.
   * @param {string} key
   * @returns {unknown}
   */
  get(key) {
    const kept = this.#young.get(key) ?? this.#again(key)
    if (kept === undefined) return undefined
    const words = this.#words
    if (Atomics.load(words, kept.way) !== kept.block || Atomics.load(words, kept.state) !== kept.generation)
      return this.#drop(key)
    // Not an atomic load of the ticks: that takes as long as the rest of this method, and an old tick is only late.
    if (kept.ends !== undefined && words[TICKS] >= kept.surely && now() >= kept.ends) return this.#drop(key)
    if (++kept.hits % TELL_AFTER === 0 && (Atomics.load(words, kept.clock) & kept.bit) === 0)
      Atomics.or(words, kept.clock, kept.bit)
    return kept.value
  }

  /**
   * Keeps the text that the map has just given, if it was read before.
   * @param {string} key
   * @param {string} value
   */
  keepAgain(key, value) {
    const block = cells[MAP_CELL.BLOCK]
    const at = block & (REMEMBERED - 1)
    const life = Math.imul(cells[MAP_CELL.GENERATION], 0x9e3779b1) ^ block
    if (this.#seen[at] === life) this.keep(key, value)
    else this.#seen[at] = life
  }

  /**
   * Keeps the value that the map has just given.
   * @param {string} key
   * @param {unknown} value frozen
   */
  keep(key, value) {
    const expires = numbers[MAP_NUMBER.EXPIRES]
    const ends = millisecondsAt(expires)
    const surely = ends !== undefined && this.#keepTime() ? ticksAt(expires) - MAP_TICK.MARGIN : NOT_EVER
    this.#add(key, {
      value,
      bytes: cells[MAP_CELL.LENGTH],
      way: cells[MAP_CELL.WAY],
      block: cells[MAP_CELL.BLOCK],
      state: cells[MAP_CELL.STATE],
      generation: cells[MAP_CELL.GENERATION],
      clock: cells[MAP_CELL.CLOCK],
      bit: cells[MAP_CELL.BIT],
      ends,
      surely,
      hits: 0
    })
  }

  /** Makes an old entry young again when it is read again. @param {string} key */
  #again(key) {
    const kept = this.#old.get(key)
    if (kept !== undefined) this.#add(key, kept)
    return kept
  }

  /** @param {string} key @param {Kept} kept */
  #add(key, kept) {
    this.#bytes += kept.bytes
    if (this.#young.size >= MOST / 2 || this.#bytes > MOST_BYTES / 2) {
      this.#old = this.#young
      this.#young = new Map()
      this.#bytes = kept.bytes
    }
    this.#young.set(key, kept)
  }

  /** @param {string} key @returns {undefined} */
  #drop(key) {
    const kept = this.#young.get(key)
    if (kept !== undefined) this.#bytes -= kept.bytes
    this.#young.delete(key)
    this.#old.delete(key)
  }
}

/** @param {number} microseconds */
function ticksAt(microseconds) {
  return Math.floor(microseconds / MAP_TICK.MICROSECONDS)
}

module.exports = { Near }
