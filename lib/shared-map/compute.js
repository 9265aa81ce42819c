'use strict'

// `getOrCompute`: one thread of all processes computes the value of a key, and the others wait for it. A lease in the
// map (src/node/map/lease.rs) says which one. If the process with the lease has died, the lease is free at once.

const { AsyncLocalStorage } = require('node:async_hooks')
const { RspoolError } = require('../errors')
const { later } = require('../later')
const { show } = require('../pool/options/validate')
const { wait } = require('./waiting')

/** Milliseconds between two renewals of a lease while its value is computed. */
const RENEW_EVERY = 10_000

/**
 * @typedef {object} Access the parts of a map that are needed here
 * @property {import('../native/addon').NativeMap} native
 * @property {(key: string) => { value: unknown, stale: boolean } | undefined} look finds stale values, too
 * @property {(key: string, value: unknown, ttl: number, stale: number) => void} keep
 * @property {(status: number, key: string) => Error} failure
 */

/**
 * A computation of this thread: the map and the key, and those that its function is waiting for.
 * @typedef {{ id: string, asks: Set<string> }} Computation
 */

/** The computation in whose function a call is made. It is in use only while something is computed, since it costs time. */
const inside = /** @type {AsyncLocalStorage<Computation>} */ (new AsyncLocalStorage())
/** @type {Map<string, Computation>} */
const running = new Map()

/**
 * Calls a function that computes a value.
 * @template T
 * @param {string} id
 * @param {() => T|PromiseLike<T>} compute
 * @returns {Promise<T>}
 */
async function within(id, compute) {
  const computation = { id, asks: /** @type {Set<string>} */ (new Set()) }
  running.set(id, computation)
  try {
    return await inside.run(computation, compute)
  } finally {
    if (running.get(id) === computation) running.delete(id)
    if (running.size === 0) inside.disable()
  }
}

/** The computation that makes a call, if it still runs. */
function caller() {
  const computation = running.size === 0 ? undefined : inside.getStore()
  return computation !== undefined && running.get(computation.id) === computation ? computation : undefined
}

/**
 * Whether a computation waits for another, itself or by way of those that it waits for.
 * @param {string} id
 * @param {string} other
 */
function waitsFor(id, other) {
  const seen = new Set([id])
  for (const each of seen) {
    if (each === other) return true
    for (const next of running.get(each)?.asks ?? []) seen.add(next)
  }
  return false
}

class Computing {
  #access
  /** The number of the map. */
  #map
  /** The values that this thread computes or waits for. @type {Map<string, Promise<unknown>>} */
  #pending = new Map()

  /** @param {Access} access */
  constructor(access) {
    this.#access = access
    this.#map = access.native.share(false)
  }

  /**
   * @param {string} key
   * @param {(key: string) => unknown} compute
   * @param {{ ttl: number, stale: number }} options
   * @returns {Promise<unknown>}
   */
  async get(key, compute, options) {
    const found = this.#access.look(key)
    if (found !== undefined && !found.stale) return found.value
    const id = `${this.#map}:${key}`
    const asker = found === undefined ? caller() : undefined
    if (asker !== undefined) {
      if (waitsFor(id, asker.id)) throw circular(key)
      // Before the function of this key is called, which may ask in turn.
      asker.asks.add(id)
    }
    let pending = this.#pending.get(key)
    if (pending === undefined) {
      pending = this.#computeOrWait(key, compute, options, found !== undefined).finally(() => this.#pending.delete(key))
      this.#pending.set(key, pending)
    }
    if (asker !== undefined) return pending.finally(() => asker.asks.delete(id))
    if (found === undefined) return pending
    // If it fails, the next caller tries again.
    pending.catch(() => {})
    return found.value
  }

  /**
   * @param {string} key
   * @param {(key: string) => unknown} compute
   * @param {{ ttl: number, stale: number }} options
   * @param {boolean} isStale whether there is a stale value, so that another's work need not be waited for
   */
  async #computeOrWait(key, compute, options, isStale) {
    for (;;) {
      const token = this.#lease(key)
      if (token > 0) {
        try {
          // The value may have come between the look and the lease.
          const found = this.#access.look(key)
          if (found !== undefined && !found.stale) return found.value
          return await this.#compute(key, compute, options, token)
        } finally {
          this.#access.native.endLease(token)
        }
      }
      if (isStale) return undefined
      const found = await this.#other(key)
      if (found !== undefined) return found.value
    }
  }

  /** @param {string} key */
  #lease(key) {
    const token = this.#access.native.lease(key)
    if (token < 0) throw this.#access.failure(-token, key)
    return token
  }

  /**
   * @param {string} key
   * @param {(key: string) => unknown} compute
   * @param {{ ttl: number, stale: number }} options
   * @param {number} token
   */
  async #compute(key, compute, { ttl, stale }, token) {
    let stop = () => {}
    const renew = () => {
      stop = later(
        RENEW_EVERY,
        () => {
          this.#access.native.renewLease(token)
          renew()
        },
        { ref: false }
      )
    }
    renew()
    try {
      const value = await within(`${this.#map}:${key}`, () => compute(key))
      if (value !== undefined) this.#access.keep(key, value, ttl, stale)
      return value
    } finally {
      stop()
    }
  }

  /** Resolves with the value that another has computed, or with undefined once no other computes it. @param {string} key */
  #other(key) {
    const { native, look } = this.#access
    return new Promise((/** @type {(found: { value: unknown } | undefined) => void} */ resolve) => {
      wait({
        native,
        key,
        look: () => {
          const found = look(key)
          if (found === undefined && native.isLeased(key)) return false
          resolve(found)
          return true
        }
      })
    })
  }
}

/** The error for a computation that would wait for itself. @param {string} key */
function circular(key) {
  return new RspoolError(
    'ERR_RSPOOL_MAP_RECURSION',
    `getOrCompute: the function that computes ${show(key)} would wait for itself, as it waits for the caller`
  )
}

module.exports = { Computing }
