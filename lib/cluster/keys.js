'use strict'

// `once` and limits over all processes of a cluster: one word per key, in the region (src/memory/table.rs).

const { RspoolError, invalidArgument } = require('../errors')
const { readOptions, limit: positive, show } = require('../pool/options/validate')
const { REFUSED } = require('../native/wire')

/**
 * @typedef {import('../native/environment')['bound']} Bound
 * @typedef {{ points: number, per: number, burst: number }} LimitSpec
 * @typedef {{ ok: boolean, remaining: number, retryAfterMs: number }} Taken
 */

class SharedKeys {
  #fd
  #seat
  /** @type {Bound|undefined} */
  #bound
  #closed = false

  /**
   * @param {number} fd of the region
   * @param {number} seat -1 for the primary
   * @param {Record<string, LimitSpec>} limits in the order that is the same in all processes
   */
  constructor(fd, seat, limits) {
    this.#fd = fd
    this.#seat = seat
    const open = () => this.#bound ?? this.#open()
    this.limits = Object.freeze(
      Object.fromEntries(Object.entries(limits).map(([name, spec], at) => [name, new Limit(name, spec, at, open)]))
    )
  }

  /**
   * True for the first caller.
   * @param {string} key
   * @param {unknown} [given]
   * @returns {boolean}
   */
  once(key, given) {
    const ttl = given === undefined ? Infinity : (readOptions(given, { ttl: positive }, 'once options').ttl ?? Infinity)
    const answer = (this.#bound ?? this.#open()).once(key, ttl)
    if (answer < 0) throw refusal(answer, 'once', key)
    return answer === 1
  }

  close() {
    this.#closed = true
    this.#bound?.closeKeys()
    this.#bound = undefined
  }

  #open() {
    if (this.#closed) throw new RspoolError('ERR_RSPOOL_CLUSTER_STOPPED', 'the cluster has ended')
    const { bound } = require('../native/environment')
    bound.openKeys(this.#fd, this.#seat)
    this.#bound = bound
    return bound
  }
}

class Limit {
  #name
  #spec
  #at
  #open

  /** @param {string} name @param {LimitSpec} spec @param {number} at its number @param {() => Bound} open */
  constructor(name, spec, at, open) {
    this.#name = name
    this.#spec = spec
    this.#at = at
    this.#open = open
    this.points = spec.points
    this.per = spec.per
    this.burst = spec.burst
    Object.freeze(this)
  }

  /**
   * Takes points of a key, all or none.
   * @param {string} key
   * @param {number} [n]
   * @returns {Taken}
   */
  take(key, n = 1) {
    const { points, per, burst } = this.#spec
    if (!Number.isInteger(n) || n < 0 || n > burst)
      throw invalidArgument(`${this.#name}.take: the points must be an integer from 0 to ${burst}, got ${show(n)}`)
    const answer = this.#open().takePoints(this.#at, key, n, points, per, burst)
    if (answer >= 0) return { ok: true, remaining: answer, retryAfterMs: 0 }
    if (answer >= REFUSED.KEY) throw refusal(answer, `${this.#name}.take`, key)
    const remaining = n === 1 ? 0 : this.take(key, 0).remaining
    return { ok: false, remaining, retryAfterMs: Math.ceil((REFUSED.KEY - answer) / 1e6) }
  }
}

/** @param {number} answer @param {string} what @param {unknown} key */
function refusal(answer, what, key) {
  if (answer === REFUSED.FULL)
    return new RspoolError(
      'ERR_RSPOOL_MAP_FULL',
      `${what}: there is no room for a further key: raise 'onceKeys', or let keys end by 'ttl'`
    )
  if (answer === REFUSED.BUSY)
    return new RspoolError('ERR_RSPOOL_MAP_BUSY', `${what}: a process that does not run holds up new keys`)
  return invalidArgument(`${what}: the key must be a string of 1 to 250 bytes, got ${show(key)}`)
}

module.exports = { SharedKeys }
