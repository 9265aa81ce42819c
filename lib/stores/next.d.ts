/**
 * The incremental cache of Next.js (14 or later) in the shared map `next`: name `require.resolve('rspool/stores/next')` as
 * `cacheHandler` in next.config.js, with `cacheMaxMemorySize: 0`, and run Next under `cluster.run(file, { maps: { next: … } })`.
 * Outside of a cluster, as in a build, it keeps nothing.
 */
declare class NextCacheHandler {
  constructor(options?: object)
  /** An entry, or null if there is none, or if one of its tags was revalidated since. */
  get(key: string, context?: object): Promise<{ value: unknown; lastModified: number; tags: string[] } | null>
  set(key: string, value: unknown, context?: object): Promise<void>
  revalidateTag(tags: string | string[]): Promise<void>
  resetRequestCache(): void
}

export = NextCacheHandler
