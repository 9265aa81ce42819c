'use strict'

// The shared maps of a cluster. The primary makes them, each in a file without a name, whose descriptors every process
// inherits behind that of the region. A process has the same seat in all of them as in the region; the primary has the
// last.

/** The descriptor of the first map in a process. */
const FIRST = 5

/** @typedef {import('../shared-map').SharedMap} SharedMap */

/** What the primary has of them. */
class ClusterMaps {
  #made

  /** @param {Record<string, import('../shared-map/options').MapSpec>} specs @param {number} seats of processes */
  constructor(specs, seats) {
    this.#made = Object.entries(specs).map(([name, spec]) => {
      const { SharedMap } = require('../shared-map')
      return { name, ...SharedMap.create(spec, seats + 1) }
    })
    /** @type {Readonly<Record<string, SharedMap>>} */
    this.maps = Object.freeze(Object.fromEntries(this.#made.map(({ name, map }) => [name, map])))
  }

  /** The descriptors that a process inherits. */
  get descriptors() {
    return this.#made.map(({ native }) => native.fd())
  }

  /** What a process is told of them. */
  get places() {
    return this.#made.map(({ name }, at) => ({ name, fd: FIRST + at }))
  }

  /** By these numbers the watcher knows them, for as long as they are here. */
  get numbers() {
    return this.#made.map(({ native }) => native.share(false))
  }

  /** The process that had the seat has ended; the watcher puts in order what it has left. @param {number} seat */
  retire(seat) {
    for (const { native } of this.#made) native.retire(seat)
  }
}

/**
 * The same in a process.
 * @param {{ name: string, fd: number }[]} places
 * @param {number} seat
 * @returns {Readonly<Record<string, SharedMap>>}
 */
function openMaps(places, seat) {
  return Object.freeze(
    Object.fromEntries(
      places.map(({ name, fd }) => {
        const { SharedMap } = require('../shared-map')
        return [name, SharedMap.open(fd, seat)]
      })
    )
  )
}

module.exports = { ClusterMaps, openMaps }
