'use strict'

// The incremental cache of Next.js in a shared map. Pages, route handlers, fetches and images that one process has made,
// all processes have; an entry that one process revalidates, no process serves any more. Name this file in `cacheHandler`
// of next.config.js, with `cacheMaxMemorySize: 0`, so that no process keeps a cache of its own in front of the map.

const v8 = require('node:v8')
const { randomUUID } = require('node:crypto')
const { current } = require('../cluster/current')
const { invalidArgument } = require('../errors')
const { keysWith } = require('./keys')

/** The name of the map that the cache uses: `maps: { next: { bytes: … } }`. */
const MAP = 'next'
const entryAt = keysWith('entry:')
const tagAt = keysWith('tag:')

/**
 * @typedef {{ kind?: string, headers?: Record<string, unknown>, tags?: string[] }} Value
 * @typedef {{ kind?: string, tags?: string[], softTags?: string[], fetchCache?: boolean }} Context
 * @typedef {{ value: Value|null, lastModified: number, tags: string[] }} Entry
 * @typedef {{ entry: Entry, marks: (string|undefined)[] }} Kept with the mark that each tag had when the entry was made
 */

class NextCacheHandler {
  /**
   * @param {string} key
   * @param {Context} [context]
   * @returns {Promise<Entry|null>}
   */
  async get(key, context = {}) {
    const map = theMap()
    const bytes = map?.get(entryAt(key))
    if (map === undefined || !(bytes instanceof Uint8Array)) return null
    /** @type {Kept} */
    const { entry, marks } = v8.deserialize(bytes)
    if (entry.tags.some((tag, at) => map.get(tagAt(tag)) !== marks[at])) return null
    const asked = [...(context.tags ?? []), ...(context.softTags ?? [])]
    return asked.some((tag) => timeOf(map.get(tagAt(tag))) >= entry.lastModified) ? null : entry
  }

  /**
   * @param {string} key
   * @param {Value|null} value null: there is no such page
   * @param {Context} [context]
   */
  async set(key, value, context = {}) {
    const map = theMap()
    if (map === undefined) return
    const tags = [...new Set([...(context.tags ?? []), ...tagsOf(value)])]
    const marks = tags.map((tag) => {
      // If a mark is evicted, the tag gets another one, and each entry that bears the tag is made anew.
      map.add(tagAt(tag), newMark(0))
      return map.get(tagAt(tag))
    })
    const entry = { value, lastModified: Date.now(), tags }
    map.set(entryAt(key), v8.serialize({ entry, marks }))
  }

  /** @param {string|string[]} tags */
  async revalidateTag(tags) {
    for (const tag of [tags].flat()) theMap()?.set(tagAt(tag), newMark(Date.now()))
  }

  /** Does nothing, since nothing is kept per request. */
  resetRequestCache() {}
}

/** The map of the cluster. While Next.js builds, there is no cluster, and nothing is kept. */
function theMap() {
  const context = current()?.context
  if (context === undefined) return undefined
  const map = context.maps[MAP]
  if (map === undefined)
    throw invalidArgument(
      `rspool/stores/next needs the map '${MAP}': cluster.run(…, { maps: { ${MAP}: { bytes: '64MB' } } })`
    )
  return map
}

/** A value for a tag in the map: when the tag was last revalidated, and an id that no other mark has. @param {number} time */
function newMark(time) {
  return `${time} ${randomUUID()}`
}

/** @param {unknown} mark */
function timeOf(mark) {
  return typeof mark === 'string' ? Number.parseInt(mark, 10) : Number.NEGATIVE_INFINITY
}

/** The tags that a page or a fetch bears. @param {Value|null} value */
function tagsOf(value) {
  const header = value?.headers?.['x-next-cache-tags']
  return [...(value?.tags ?? []), ...(typeof header === 'string' ? header.split(',') : [])]
}

module.exports = NextCacheHandler
