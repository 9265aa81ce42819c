'use strict'

// A limit of the cluster as a store of express-rate-limit.

const { invalidArgument } = require('../errors')
const { assertLimit, wait } = require('./limit')

class ExpressRateLimitStore {
  /** Clients are counted over all processes. */
  localKeys = false
  #limit

  /** @param {import('./limit').Limit} limit */
  constructor(limit) {
    this.#limit = assertLimit(limit, 'ExpressRateLimitStore')
  }

  /** @param {{ limit?: unknown }} options of the limiter */
  init({ limit }) {
    const { burst } = this.#limit
    if (typeof limit === 'number' && limit !== burst)
      throw invalidArgument(
        `ExpressRateLimitStore: the limiter's 'limit' is ${limit}, and the 'burst' of the limit ${burst}: they must be the same`
      )
  }

  /** @param {string} key */
  async get(key) {
    const { burst } = this.#limit
    const { remaining } = this.#limit.take(key, 0)
    return { totalHits: burst - remaining, resetTime: undefined }
  }

  /** @param {string} key */
  async increment(key) {
    const { burst } = this.#limit
    const taken = this.#limit.take(key)
    const totalHits = taken.ok ? burst - taken.remaining : burst + 1
    return { totalHits, resetTime: new Date(Date.now() + wait(this.#limit, taken)) }
  }

  /** Points that were taken are earned back by time alone. */
  async decrement() {
    throw unsupported('skipSuccessfulRequests and skipFailedRequests')
  }

  async resetKey() {
    throw unsupported('resetKey')
  }
}

/** @param {string} what */
function unsupported(what) {
  return invalidArgument(`ExpressRateLimitStore: a limit of the cluster takes nothing back, so there is no ${what}`)
}

module.exports = { ExpressRateLimitStore }
