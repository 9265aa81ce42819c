'use strict'

// A store of the user: an object, only for callers, or a module that each side loads for itself.

const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { invalidArgument } = require('../errors')

/** @typedef {import('./types').Store} Store */

/**
 * The URL of a module, which can be sent to a thread; undefined for a store object.
 * @param {Store | string | URL | undefined} given
 */
function moduleOf(given) {
  if (typeof given === 'string')
    return (/^file:/.test(given) ? new URL(given) : pathToFileURL(path.resolve(given))).href
  return given instanceof URL ? given.href : undefined
}

/**
 * @param {Store | string | URL | undefined} given
 * @param {Store} own the engine's
 * @returns {Store}
 */
function storeOf(given, own) {
  if (given === undefined) return own
  const url = moduleOf(given)
  return url === undefined ? checked(/** @type {Store} */ (given)) : new LoadedStore(url)
}

/** @param {Store} store */
function checked(store) {
  for (const name of /** @type {const} */ (['put', 'get', 'delete']))
    if (typeof store[name] !== 'function')
      throw invalidArgument(
        `Fleet: the store has no function '${name}': it takes put(key, bytes, ttl), get(key, most), delete(key)`
      )
  return store
}

/**
 * A store that loads its module at its first use.
 * @implements {Store}
 */
class LoadedStore {
  #url
  /** @type {Promise<Store> | undefined} */
  #loaded

  /** @param {string} url */
  constructor(url) {
    this.#url = url
  }

  #store() {
    this.#loaded ??= import(this.#url).then((loaded) => checked(loaded.default?.put ? loaded.default : loaded))
    return this.#loaded
  }

  /** @param {Parameters<Store['put']>} given */
  async put(...given) {
    return (await this.#store()).put(...given)
  }

  /** @param {Parameters<Store['get']>} given */
  async get(...given) {
    return (await this.#store()).get(...given)
  }

  /** @param {Parameters<Store['delete']>} given */
  async delete(...given) {
    return (await this.#store()).delete(...given)
  }
}

module.exports = { storeOf, moduleOf }
