/** The storage of a Keyv in a shared map; cache-manager takes a Keyv. */

import type { EventEmitter } from 'node:events'
import type { SharedMap } from '../../index.js'
import type { StoreOptions } from '../../types/stores.js'

/** A storage adapter of Keyv (5): `new Keyv({ store: new KeyvStore(map) })`. Keyv encodes the values. */
export class KeyvStore extends EventEmitter {
  /**
   * @param map the map that keeps the entries
   * @param options `prefix` of the keys: 'keyv:' by default
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT`
   */
  constructor(map: SharedMap, options?: StoreOptions)
  opts: { dialect: string; url: string }
  namespace?: string
  get<Value>(key: string): Promise<Value | undefined>
  getMany<Value>(keys: string[]): Promise<(Value | undefined)[]>
  set(key: string, value: unknown, ttl?: number): Promise<boolean>
  setMany(entries: { key: string; value: unknown; ttl?: number }[]): Promise<boolean[]>
  has(key: string): Promise<boolean>
  hasMany(keys: string[]): Promise<boolean[]>
  delete(key: string): Promise<boolean>
  deleteMany(keys: string[]): Promise<boolean>
  /** Removes the entries of the namespace. */
  clear(): Promise<void>
  /**
   * The entries of the namespace. Keys that are too long for a map (245 bytes with the default prefix) are kept as a
   * digest, and are left out.
   */
  iterator<Value>(namespace?: string): AsyncGenerator<[string, Value]>
}
