/** The options that the stores over a shared map share (`rspool/stores/*`). */

export interface StoreOptions {
  /** The prefix of each key, so that several stores can use one map. At most 100 bytes. */
  prefix?: string
}
