'use strict'

// Values in envelopes: small ones in the envelope itself, larger ones in a store, under the hash of their bytes:
// an input that is sent a thousand times is stored once.

const { createHash, randomUUID } = require('node:crypto')
const { InputTooLargeError } = require('../errors')
const { encode, decode, pack, unpack, packedSize, malformed } = require('./encoding')

/** @typedef {import('./types').Part} Part */

/** Larger values go into the store. */
const INLINE = 32 * 1024

class Values {
  #store
  #most

  /**
   * @param {import('./types').Store} store
   * @param {number} most bytes of a value
   */
  constructor(store, most) {
    this.#store = store
    this.#most = most
  }

  /**
   * Makes a part of a value, which is encoded before the first `await`, so later changes do not matter.
   * @param {unknown} value
   * @param {number} ttl milliseconds for which a store keeps it
   * @param {boolean} [shared] whether equal values may share a key
   * @returns {Promise<Part>}
   */
  async put(value, ttl, shared = true) {
    const encoded = encode(value)
    const size = packedSize(encoded)
    if (size > this.#most)
      throw new InputTooLargeError(`The value has ${size} bytes when encoded: 'maxInputSize' is ${this.#most}`)
    if (size <= INLINE) {
      const parts = encoded.parts.map((part) => base64(part))
      return parts.length === 0 ? { text: encoded.text } : { text: encoded.text, parts }
    }
    const bytes = pack(encoded)
    const ref = shared ? createHash('sha256').update(bytes).digest('hex') : randomUUID()
    await this.#store.put(ref, bytes, ttl)
    return { ref, size }
  }

  /**
   * @param {unknown} given a part that may come from anywhere
   * @returns {Promise<unknown>}
   */
  async get(given) {
    const part = /** @type {{ text?: unknown, parts?: unknown, ref?: unknown }} */ (given ?? {})
    if (typeof part.text === 'string') {
      const { text, parts = [] } = part
      if (!Array.isArray(parts) || !parts.every((each) => typeof each === 'string'))
        throw malformed('its bytes are none')
      return decode({ text, parts: parts.map((each) => Buffer.from(each, 'base64')) })
    }
    if (typeof part.ref !== 'string' || !/^[\da-f-]{32,64}$/.test(part.ref)) throw malformed('it has no value')
    const bytes = await this.#store.get(part.ref, this.#most)
    if (bytes === undefined) throw malformed('its bytes are no longer in the store')
    return decode(unpack(bytes))
  }

  /**
   * No other reader will ask for it.
   * @param {Part} part
   */
  async delete(part) {
    if ('ref' in part) await this.#store.delete(part.ref)
  }
}

/** @param {Uint8Array} bytes */
function base64({ buffer, byteOffset, byteLength }) {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}

module.exports = { Values }
