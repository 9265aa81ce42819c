'use strict'

// Ids of sessions that say which process has the session: its slot and generation are in them, and a code that only
// processes of this cluster can make. So there is no table that could be lost or out of date.

const { createHmac, randomBytes, timingSafeEqual } = require('node:crypto')

/** Characters of the code: 48 bits. */
const CODE = 8
/** Texts whose owners are remembered: a session has many requests. */
const REMEMBERED = 4096
/** A longer text is hardly an id. */
const LONGEST = 256
/** Random bytes, slot, generation and code. Each part has an end, so a long text that is no id takes no longer than its length. */
const ID = /([\w-]{20}\.([0-9a-z]{1,6})\.([0-9a-z]{1,10}))\.([\w-]{8})(?![\w-])/

/** @typedef {{ slot: number, generation: number }} Owner */

class Ids {
  #key
  /** @type {Map<string, Owner|undefined>} */
  #known = new Map()

  /** @param {string} key that all processes of the cluster have */
  constructor(key) {
    this.#key = key
  }

  /** A new id for a session of a process. @param {Owner} owner */
  make({ slot, generation }) {
    const text = `${randomBytes(15).toString('base64url')}.${slot.toString(36)}.${generation.toString(36)}`
    return `${text}.${this.#codeOf(text)}`
  }

  /**
   * Whose the session is of which an id is somewhere in the text: cookies are often signed by their application, too.
   * @param {string} text
   * @returns {Owner|undefined}
   */
  find(text) {
    if (this.#known.has(text)) return this.#known.get(text)
    const owner = this.#read(text)
    if (text.length <= LONGEST) {
      if (this.#known.size >= REMEMBERED) this.#known.clear()
      this.#known.set(text, owner)
    }
    return owner
  }

  /** @returns {Owner|undefined} */
  #read(/** @type {string} */ text) {
    const found = ID.exec(text)
    if (found === null) return undefined
    const [, whole, slot, generation, code] = found
    if (!timingSafeEqual(Buffer.from(code), Buffer.from(this.#codeOf(whole)))) return undefined
    return { slot: parseInt(slot, 36), generation: parseInt(generation, 36) }
  }

  #codeOf(/** @type {string} */ text) {
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, CODE)
  }
}

module.exports = { Ids }
