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
 * A computation of this thread. `within` is the computation whose function asked for it.
 * @typedef {{ map: number, key: string, within: Computation|undefined }} Computation
 */

/** The computation in whose function a call is made. It is in use only while something is computed, since it costs time. */
const inside = /** @type {AsyncLocalStorage<Computation>} */ (new AsyncLocalStorage())
/** @type {Set<Computation>} */
const running = new Set()

/**
 * Calls a function that computes a value.
 * @template T
 * @param {Computation} computation
 * @param {() => T|PromiseLike<T>} compute
 * @returns {Promise<T>}
 */
async function within(computation, compute) {
  running.add(computation)
  try {
    return await inside.run(computation, compute)
  } finally {
    running.delete(computation)
    if (running.size === 0) inside.disable()
  }
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
    if (found === undefined) this.#refuseItself(key)
    let pending = this.#pending.get(key)
    if (pending === undefined) {
      pending = this.#computeOrWait(key, compute, options, found !== undefined).finally(() => this.#pending.delete(key))
      this.#pending.set(key, pending)
    }
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

  /** Throws if the function that computes the key asks for it: it would wait for itself. @param {string} key */
  #refuseItself(key) {
    if (running.size === 0) return
    for (let it = inside.getStore(); it !== undefined; it = it.within) {
      if (it.map !== this.#map || it.key !== key || !running.has(it)) continue
      throw new RspoolError(
        'ERR_RSPOOL_MAP_RECURSION',
        `getOrCompute: the function that computes ${show(key)} asks for ${show(key)} itself`
      )
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
      const value = await within({ map: this.#map, key, within: inside.getStore() }, () => compute(key))
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

module.exports = { Computing }
