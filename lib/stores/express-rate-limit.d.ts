/** A limit of the cluster as a store of express-rate-limit (7 or later). */

import type { Limit } from '../../types/locks.js'

/**
 * The requests of a client are limited over all processes: `rateLimit({ limit: 20, store: new
 * ExpressRateLimitStore(context.limits.api) })`. The rate is that of the cluster's limit, and its `burst` must be the
 * limiter's `limit`; `windowMs` has no effect. Points that were taken are not given back: `skipSuccessfulRequests`,
 * `skipFailedRequests` and `resetKey` reject with `ERR_RSPOOL_INVALID_ARGUMENT`.
 */
export class ExpressRateLimitStore {
  /** @throws `ERR_RSPOOL_INVALID_ARGUMENT` */
  constructor(limit: Limit)
  localKeys: boolean
  /** @throws `ERR_RSPOOL_INVALID_ARGUMENT` if the limiter's `limit` is not `burst` */
  init(options: { limit?: unknown }): void
  get(key: string): Promise<{ totalHits: number; resetTime: Date | undefined }>
  increment(key: string): Promise<{ totalHits: number; resetTime: Date }>
  decrement(key: string): Promise<void>
  resetKey(key: string): Promise<void>
}
