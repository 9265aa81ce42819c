/** What the stores over a shared map have in common (`rspool/stores/*`). */

export interface StoreOptions {
  /** The prefix of each key, so that several stores can use one map. At most 100 bytes. */
  prefix?: string
}
