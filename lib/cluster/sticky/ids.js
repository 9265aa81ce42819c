'use strict'

// Ids of sessions. An id contains the slot and generation of the process that has the session, and a code that only
// processes of this cluster can make. So there is no table that could be lost or out of date.

const { createHmac, randomBytes, timingSafeEqual } = require('node:crypto')

/** Characters of the code: 48 bits. */
const CODE = 8
/** Texts whose owners are remembered: a session has many requests. */
const REMEMBERED = 4096
/** Longer texts are not searched for an id. */
const LONGEST = 256
/**
 * Random bytes, slot, generation and code. Each part has a maximum length, so matching a long text takes time in
 * proportion to its length only.
 */
const ID = /([\w-]{20}\.([0-9a-z]{1,6})\.([0-9a-z]{1,10}))\.([\w-]{8})(?![\w-])/

/** @typedef {{ slot: number, generation: number }} Owner */

class Ids {
  #key
  /** @type {Map<string, Owner|undefined>} */
  #known = new Map()

  /** @param {string} key that all processes of the cluster share */
  constructor(key) {
    this.#key = key
  }

  /** A new id for a session of a process. @param {Owner} owner */
  make({ slot, generation }) {
    const text = `${randomBytes(15).toString('base64url')}.${slot.toString(36)}.${generation.toString(36)}`
    return `${text}.${this.#codeOf(text)}`
  }

  /**
   * The owner of the session whose id is somewhere in the text. An application may have signed the cookie, too.
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
