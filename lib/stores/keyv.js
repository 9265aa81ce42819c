'use strict'

// The storage of a Keyv in a shared map. Keyv encodes the values itself.

const { EventEmitter } = require('node:events')
const { isDigest, readStore } = require('./keys')

class KeyvStore extends EventEmitter {
  /** Keyv iterates only over stores with a dialect that it knows. */
  opts = { dialect: 'redis', url: '' }
  /** Set by Keyv, which puts it before its keys. @type {string|undefined} */
  namespace
  #map
  #prefix
  #named

  /** @param {import('../..').SharedMap} map @param {unknown} [options] */
  constructor(map, options) {
    super()
    const { map: given, prefix, named } = readStore('KeyvStore', map, options, 'keyv:')
    this.#map = given
    this.#prefix = prefix
    this.#named = named
  }

  /** @param {string} key */
  async get(key) {
    return this.#map.get(this.#named(key))
  }

  /** @param {string[]} keys */
  async getMany(keys) {
    return keys.map((key) => this.#map.get(this.#named(key)))
  }

  /** @param {string} key @param {unknown} value @param {number} [ttl] */
  async set(key, value, ttl) {
    return this.#map.set(this.#named(key), value, ttl === undefined ? {} : { ttl })
  }

  /** @param {{ key: string, value: unknown, ttl?: number }[]} entries */
  async setMany(entries) {
    return Promise.all(entries.map(({ key, value, ttl }) => this.set(key, value, ttl)))
  }

  /** @param {string} key */
  async has(key) {
    return this.#map.has(this.#named(key))
  }

  /** @param {string[]} keys */
  async hasMany(keys) {
    return keys.map((key) => this.#map.has(this.#named(key)))
  }

  /** @param {string} key */
  async delete(key) {
    return this.#map.delete(this.#named(key))
  }

  /** @param {string[]} keys */
  async deleteMany(keys) {
    return keys.map((key) => this.#map.delete(this.#named(key))).some(Boolean)
  }

  /** Deletes the keys of the namespace. */
  async clear() {
    const own = this.#named(this.namespace === undefined ? '' : `${this.namespace}:`)
    for (const key of Array.from(this.#map.keys({ prefix: own }))) this.#map.delete(key)
  }

  /** Iterates over the keys that are not too long. @param {string} [namespace] @returns {AsyncGenerator<[string, unknown]>} */
  async *iterator(namespace) {
    const own = this.#named(namespace === undefined ? '' : `${namespace}:`)
    for (const key of Array.from(this.#map.keys({ prefix: own }))) {
      const value = isDigest(key) ? undefined : this.#map.get(key)
      if (value !== undefined) yield [key.slice(this.#prefix.length), value]
    }
  }
}

module.exports = { KeyvStore }
