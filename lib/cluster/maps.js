'use strict'

// The shared maps of a cluster. The primary makes each in a file without a name. Every process inherits their
// descriptors behind that of the region. A process has the same seat in all maps as in the region; the primary has the
// last seat.

/** The descriptor of the first map in a process. */
const FIRST = 5

/** @typedef {import('../shared-map').SharedMap} SharedMap */

/** The maps in the primary. */
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

  /** The descriptors of the maps, which a process inherits. */
  get descriptors() {
    return this.#made.map(({ native }) => native.fd())
  }

  /** The names and descriptors of the maps, for a process. */
  get places() {
    return this.#made.map(({ name }, at) => ({ name, fd: FIRST + at }))
  }

  /** The numbers by which the watcher knows the maps, for as long as this object lives. */
  get numbers() {
    return this.#made.map(({ native }) => native.share(false))
  }

  /**
   * The process that had the seat has ended. The watcher puts in order what the process left behind.
   * @param {number} seat
   */
  retire(seat) {
    for (const { native } of this.#made) native.retire(seat)
  }
}

/**
 * The maps in a process.
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
