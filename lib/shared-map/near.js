'use strict'

// Decoded values and texts that this thread keeps, each for as long as the entry of the map is the same. A map says so by two of
// its words: the way of the entry, which names its block, and the generation of that block.

const { MAP_CELL, MAP_NUMBER } = require('../native/wire')
const { microseconds } = require('../microseconds')
const { cells, numbers } = require('./memory')

/** Entries that are kept, and bytes of them as they lie in the map. */
const MOST = 10_000
const MOST_BYTES = 16 * 2 ** 20
/** A text is kept when it is read a second time; so many are remembered until then. */
const REMEMBERED = 4096
/** After so many hits the map hears that the entry is still read, so that it stays. */
const TELL_AFTER = 16

/** @typedef {{ value: unknown, bytes: number, way: number, block: number, state: number, generation: number, clock: number, bit: number, expires: number, hits: number }} Kept */

class Near {
  /** @type {Map<string, Kept>} */
  #kept = new Map()
  #bytes = 0
  #words
  /** By block, in which of its lives a text was read there. */
  #seen = new Int32Array(REMEMBERED)

  /** @param {ArrayBuffer} words of the map */
  constructor(words) {
    this.#words = new Int32Array(words)
  }

  /**
   * The value of a key, if it is the same as when it was kept.
   * @param {string} key
   * @returns {unknown}
   */
  get(key) {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    const words = this.#words
    if (Atomics.load(words, kept.way) !== kept.block || Atomics.load(words, kept.state) !== kept.generation)
      return this.#drop(key, kept)
    if (kept.expires !== 0 && microseconds() >= kept.expires) return this.#drop(key, kept)
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
    const at = cells[MAP_CELL.BLOCK] & (REMEMBERED - 1)
    const generation = cells[MAP_CELL.GENERATION]
    if (this.#seen[at] === generation) this.keep(key, value)
    else this.#seen[at] = generation
  }

  /**
   * Keeps the value that the map has just given.
   * @param {string} key
   * @param {unknown} value frozen
   */
  keep(key, value) {
    const before = this.#kept.get(key)
    if (before !== undefined) this.#drop(key, before)
    const bytes = cells[MAP_CELL.LENGTH]
    this.#kept.set(key, {
      value,
      bytes,
      way: cells[MAP_CELL.WAY],
      block: cells[MAP_CELL.BLOCK],
      state: cells[MAP_CELL.STATE],
      generation: cells[MAP_CELL.GENERATION],
      clock: cells[MAP_CELL.CLOCK],
      bit: cells[MAP_CELL.BIT],
      expires: numbers[MAP_NUMBER.EXPIRES],
      hits: 0
    })
    this.#bytes += bytes
    for (const [oldest, kept] of this.#kept) {
      if (this.#kept.size <= MOST && this.#bytes <= MOST_BYTES) break
      this.#drop(oldest, kept)
    }
  }

  /** @param {string} key @param {Kept} kept @returns {undefined} */
  #drop(key, kept) {
    this.#kept.delete(key)
    this.#bytes -= kept.bytes
  }
}

module.exports = { Near }
