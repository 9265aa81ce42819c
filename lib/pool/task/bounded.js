'use strict'

// A map of values that can be made again. Beyond a number of entries, or an amount of text, the oldest entries are
// dropped. So the map stays small, however many names and functions callers send. No code of the user runs here, whatever
// built-ins it has replaced.

const { MapClass, mapDelete, mapGet, mapSet } = require('../../native/primordials')

const MOST = 512
/** The most text, in characters. */
const MOST_TEXT = 4 * 2 ** 20

/**
 * An entry, and its neighbours by age.
 * @template K, V
 * @typedef {{ key: K, value: V, size: number, older: Entry<K, V> | undefined, newer: Entry<K, V> | undefined }} Entry
 */

/**
 * @template K, V
 */
class Bounded {
  /** @type {Map<K, Entry<K, V>>} */
  #entries = new MapClass()
  /** @type {Entry<K, V> | undefined} */
  #oldest
  /** @type {Entry<K, V> | undefined} */
  #newest
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
    const older = this.#newest
    /** @type {Entry<K, V>} */
    const entry = { key, value, size, older, newer: undefined }
    if (older === undefined) this.#oldest = entry
    else older.newer = entry
    this.#newest = entry
    mapSet(this.#entries, key, entry)
    this.#count++
    this.#size += size
    while (this.#count > MOST || (this.#size > MOST_TEXT && this.#count > 1))
      this.drop(/** @type {Entry<K, V>} */ (this.#oldest).key)
  }

  /** @param {K} key */
  drop(key) {
    const entry = mapGet(this.#entries, key)
    if (entry === undefined) return
    const { older, newer } = entry
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    mapDelete(this.#entries, key)
    this.#count--
    this.#size -= entry.size
    this.#dropped?.(key, entry.value)
  }
}

module.exports = { Bounded, MOST }
