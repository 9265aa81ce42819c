'use strict'

// Sessions of express-session in a shared map. They are kept as JSON, as every store of that package does.

const { RspoolError } = require('../errors')
const { readStore } = require('./keys')

const Store = storeOfPackage()

/** Milliseconds without a request after which a session ends whose cookie lives as long as the browser. */
const DAY = 86_400_000

/**
 * @typedef {import('express-session').SessionData} SessionData
 * @typedef {(error?: unknown) => void} Done
 */

class ExpressSessionStore extends Store {
  #map
  #prefix
  #named

  /** @param {import('../..').SharedMap} map @param {unknown} [options] */
  constructor(map, options) {
    super()
    const { map: given, prefix, named } = readStore('ExpressSessionStore', map, options, 'session:')
    this.#map = given
    this.#prefix = prefix
    this.#named = named
  }

  /** @param {string} id @param {(error: unknown, session?: SessionData|null) => void} done */
  get(id, done) {
    answer(done, () => this.#read(this.#named(id)))
  }

  /** @param {string} id @param {SessionData} session @param {Done} [done] */
  set(id, session, done) {
    answer(done, () => void this.#map.set(this.#named(id), JSON.stringify(session), { ttl: timeLeft(session) }))
  }

  /** @param {string} id @param {SessionData} session @param {Done} [done] */
  touch(id, session, done) {
    answer(done, () => void this.#map.expire(this.#named(id), timeLeft(session)))
  }

  /** @param {string} id @param {Done} [done] */
  destroy(id, done) {
    answer(done, () => void this.#map.delete(this.#named(id)))
  }

  /** @param {(error: unknown, sessions?: SessionData[]) => void} done */
  all(done) {
    answer(done, () => {
      const sessions = this.#keys().map((key) => this.#read(key))
      return sessions.filter((session) => session !== null)
    })
  }

  /** @param {(error: unknown, count?: number) => void} done */
  length(done) {
    answer(done, () => this.#keys().length)
  }

  /** @param {Done} [done] */
  clear(done) {
    answer(done, () => {
      for (const key of this.#keys()) this.#map.delete(key)
    })
  }

  #keys() {
    return Array.from(this.#map.keys({ prefix: this.#prefix }))
  }

  /** @returns {SessionData|null} */
  #read(/** @type {string} */ key) {
    const text = this.#map.get(key)
    return typeof text === 'string' ? JSON.parse(text) : null
  }
}

/** Milliseconds for which to keep the session. @param {SessionData} session */
function timeLeft({ cookie }) {
  const end = cookie?.expires
  return end ? Math.max(1, new Date(end).getTime() - Date.now()) : (cookie?.originalMaxAge ?? DAY)
}

/** The class that every store of the package extends. @returns {typeof import('express-session').Store} */
function storeOfPackage() {
  try {
    return require('express-session').Store
  } catch (cause) {
    throw new RspoolError('ERR_RSPOOL_UNSUPPORTED', 'rspool/stores/express-session needs the package express-session', {
      cause
    })
  }
}

/**
 * Calls back later, with the result or the error: callers do not expect a store to throw.
 * @template T
 * @param {((error: unknown, value?: T) => void) | undefined} done
 * @param {() => T} work
 */
function answer(done, work) {
  /** @type {[unknown, T?]} */
  let result
  try {
    result = [null, work()]
  } catch (error) {
    result = [error]
  }
  if (done !== undefined) setImmediate(done, ...result)
}

module.exports = { ExpressSessionStore }
