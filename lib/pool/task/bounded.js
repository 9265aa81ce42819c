'use strict'

// A map of values that can be made again. Beyond a number of entries, or an amount of text, the oldest entries are
// dropped. So the map stays small, however many names and functions callers send. No code of the user runs here, whatever
// built-ins it has replaced.

const { MapClass, mapDelete, mapGet, mapKeys, mapSet, nextOfMap } = require('../../native/primordials')

const MOST = 512
/** The most text, in characters. */
const MOST_TEXT = 4 * 2 ** 20

/**
 * @template K, V
 */
class Bounded {
  /** The oldest first. @type {Map<K, { value: V, size: number }>} */
  #entries = new MapClass()
  #count = 0
  #size = 0
  #dropped

  /** @param {(key: K, value: V) => void} [dropped] */
  constructor(dropped) {
    this.#dropped = dropped
  }

  /**
   * @param {K} key
   * @returns {V | undefined}
   */
  get(key) {
    return mapGet(this.#entries, key)?.value
  }

  /**
   * @param {K} key a new one
   * @param {V} value
   * @param {number} size characters that the entry keeps
   */
  add(key, value, size) {
    mapSet(this.#entries, key, { value, size })
    this.#count++
    this.#size += size
    while (this.#count > MOST || (this.#size > MOST_TEXT && this.#count > 1))
      this.drop(nextOfMap(mapKeys(this.#entries)).value)
  }

  /** @param {K} key */
  drop(key) {
    const entry = mapGet(this.#entries, key)
    if (entry === undefined) return
    mapDelete(this.#entries, key)
    this.#count--
    this.#size -= entry.size
    this.#dropped?.(key, entry.value)
  }
}

module.exports = { Bounded, MOST }
