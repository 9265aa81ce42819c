'use strict'

// A limit of the cluster as the store of @fastify/rate-limit. The package makes the store itself, from a class.

const { assertLimit, wait } = require('./limit')

/**
 * The class that the option `store` takes.
 * @param {import('./limit').Limit} limit
 */
function fastifyRateLimitStore(limit) {
  assertLimit(limit, 'fastifyRateLimitStore')
  return class FastifyRateLimitStore {
    #route

    /** @param {object} _options @param {string} [route] */
    constructor(_options, route = '') {
      this.#route = route
    }

    /**
     * @param {string} key
     * @param {(error: unknown, counted?: { current: number, ttl: number }) => void} done
     * @param {number} _timeWindow
     * @param {number} max
     */
    incr(key, done, _timeWindow, max) {
      /** @type {[unknown, { current: number, ttl: number }?]} */
      let answer
      try {
        const taken = limit.take(`${this.#route}${key}`)
        const current = taken.ok ? Math.max(1, max - taken.remaining) : max + 1
        answer = [null, { current, ttl: wait(limit, taken) }]
      } catch (error) {
        answer = [error]
      }
      done(...answer)
    }

    /**
     * The store of a route with limits of its own, which counts separately.
     * @param {{ routeInfo?: { method?: unknown, url?: string } }} options
     */
    child(options) {
      const { method = '', url = '' } = options.routeInfo ?? {}
      return new FastifyRateLimitStore(options, `${String(method)}${url}-`)
    }
  }
}

module.exports = { fastifyRateLimitStore }
