'use strict'

// A map of values that can be made again. Beyond a number of entries, or an amount of text, the oldest entries are
// dropped. So the map stays small, however many names and functions callers send.

const MOST = 512
/** The most text, in characters. */
const MOST_TEXT = 4 * 2 ** 20

/**
 * @template K, V
 */
class Bounded {
  /** @type {Map<K, { value: V, size: number }>} */
  #entries = new Map()
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
    return this.#entries.get(key)?.value
  }

  /**
   * @param {K} key a new one
   * @param {V} value
   * @param {number} size characters that the entry keeps
   */
  add(key, value, size) {
    this.#entries.set(key, { value, size })
    this.#size += size
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MOST && (this.#size <= MOST_TEXT || this.#entries.size === 1)) return
      this.drop(oldest)
    }
  }

  /** @param {K} key */
  drop(key) {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#size -= entry.size
    this.#dropped?.(key, entry.value)
  }
}

module.exports = { Bounded, MOST }
