/** A limit of the cluster as the store of @fastify/rate-limit (9 or later). */

import type { Limit } from '../../types/locks.js'

/** An instance that @fastify/rate-limit makes of the class. */
export interface FastifyRateLimitStore {
  incr(
    key: string,
    done: (error: unknown, counted?: { current: number; ttl: number }) => void,
    timeWindow: number,
    max: number
  ): void
  child(routeOptions: object): FastifyRateLimitStore
}

/**
 * The class for the option `store`: the requests of a client are limited over all processes. The rate is that of the
 * cluster's limit, and `max` must be its `burst`; `timeWindow` has no effect.
 *
 * @throws `ERR_RSPOOL_INVALID_ARGUMENT`
 */
export function fastifyRateLimitStore(limit: Limit): new (options: object) => FastifyRateLimitStore
