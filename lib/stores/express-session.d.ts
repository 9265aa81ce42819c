/** Sessions of express-session in a shared map. `express-session` is an optional peer of this package. */

import type { SessionData, Store } from 'express-session'
import type { SharedMap } from '../../index.js'
import type { StoreOptions } from '../../types/stores.js'

/**
 * A store of express-session: every process of the cluster has every session, and a session outlives the process that
 * made it. Sessions are kept as JSON until their cookie expires, or for a day without a request if the cookie has no
 * end.
 *
 * Use a map with `evict: false`, so that no session makes room for another; when it is full, a new session fails with
 * `ERR_RSPOOL_MAP_FULL`.
 */
export class ExpressSessionStore extends Store {
  /**
   * @param map the map that keeps the sessions; it may have other users, too
   * @param options `prefix` of the keys: 'session:' by default
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`
   */
  constructor(map: SharedMap, options?: StoreOptions)
  get(id: string, done: (error: unknown, session?: SessionData | null) => void): void
  set(id: string, session: SessionData, done?: (error?: unknown) => void): void
  destroy(id: string, done?: (error?: unknown) => void): void
  /** Tells that the session was used: from now on it lasts as long as its cookie says. */
  touch(id: string, session: SessionData, done?: (error?: unknown) => void): void
  all(done: (error: unknown, sessions?: SessionData[]) => void): void
  length(done: (error: unknown, length?: number) => void): void
  clear(done?: (error?: unknown) => void): void
}
