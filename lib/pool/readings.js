'use strict'

// The readings of a pool: its statistics, stacks, histograms and metrics. They can be read after its end, too.

const { withReadings } = require('./observe/readings')
const { NATIVE, SCRIPT } = require('./task/targets')

/** @typedef {import('../native/addon').Snapshot} Snapshot */
/** @typedef {import('../native/addon').Measures} Measures */
/** @typedef {InstanceType<typeof import('./observe/histogram').Histograms>} Histograms */
/** @typedef {import('../../types/observation').PoolStats} Stats */

class Readings {
  #native
  #isolates
  #optionsNow
  /** @type {Histograms | undefined} */
  #histograms
  /** The statistics at the end of the pool. @type {Stats | undefined} */
  #last
  /** @type {Measures | undefined} */
  #lastMeasures

  /**
   * @param {import('../native/addon').NativePool} native
   * @param {InstanceType<typeof import('./isolates').Isolates>} isolates
   * @param {() => import('./options/pool-options').ResolvedOptions} optionsNow
   */
  constructor(native, isolates, optionsNow) {
    this.#native = native
    this.#isolates = isolates
    this.#optionsNow = optionsNow
  }

  /** @returns {Stats} */
  stats() {
    return this.#last ?? this.#statsNow()
  }

  /** @returns {Stats} */
  #statsNow() {
    const { workers: known, queued, running, ...rest } = this.#snapshot()
    const workers = known.map((worker) => withReadings(worker, this.#isolates.all.get(worker.id)))
    return {
      workers,
      busy: workers.filter(({ state }) => state === 'busy').length,
      idle: workers.filter(({ state }) => state === 'idle').length,
      queued,
      running,
      ...rest
    }
  }

  /** @returns {Snapshot} */
  #snapshot() {
    return JSON.parse(this.#native.stats())
  }

  /** The tasks of each worker at this moment, and its JavaScript stack. */
  async stacks() {
    if (this.#last !== undefined) return []
    return require('./observe/stacks').workersWithStacks(this.#snapshot().workers, this.#isolates.all)
  }

  /** The workers of both lanes that have started. */
  get size() {
    if (this.#last !== undefined) return 0
    return this.#native.readyCount(NATIVE) + this.#native.readyCount(SCRIPT)
  }

  /** How long tasks wait and run. */
  get histogram() {
    if (this.#histograms === undefined) {
      const { Histograms } = require('./observe/histogram')
      this.#histograms = new Histograms(this.#native)
    }
    return this.#histograms
  }

  /** The measures for metrics. */
  get readable() {
    const stats = () => this.stats()
    return { id: this.#native.uid, options: this.#optionsNow(), stats, measures: () => this.#measures() }
  }

  /** @returns {Measures} */
  #measures() {
    return this.#lastMeasures ?? JSON.parse(this.#native.measures())
  }

  /** Loads the modules that the end of the pool needs. */
  prepare() {
    require('./observe/histogram')
  }

  /** Keeps the present readings for after the end. */
  keep() {
    const { Histograms } = require('./observe/histogram')
    this.#last = this.#statsNow()
    Histograms.keep(this.histogram)
    this.#lastMeasures = this.#measures()
  }
}

module.exports = { Readings }
