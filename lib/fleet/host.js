'use strict'

// The parts of a worker, wherever it runs: a pool, an executor over it, and a consumer of the engine's tasks.

const { Pool } = require('../pool/pool')
const { Executor } = require('./executor')

/** Milliseconds that a lock lasts. The tasks of a lost worker wait for at most one and a half times as long. */
const LOCK_DURATION = 10_000
/** Milliseconds for which a task that a worker does not know is given back, since versions may run side by side. */
const SKEW_GRACE = 60_000

/** Milliseconds for the end of scripts. */
const END = 1000

class Host {
  #pool
  #executor
  /** @type {import('./types').Consumer | undefined} */
  #consumer
  /** @type {Promise<void>} */
  ready
  /** @type {Promise<void> | undefined} */
  #closed

  /**
   * @param {import('./types').Engine} engine
   * @param {InstanceType<typeof import('./values').Values>} values
   * @param {import('./work').FleetSettings} fleet
   * @param {import('./types').WorkOptions} options
   */
  constructor(engine, values, { secret, resultTtl }, options) {
    const { pool, tasks, lockDuration = LOCK_DURATION, maxTimeout, skewGrace = SKEW_GRACE } = options
    this.#pool = new Pool(pool)
    this.#executor = new Executor(
      this.#pool,
      new Set(tasks),
      values,
      { secret, maxTimeout, skewGrace, resultTtl },
      engine
    )
    this.ready = this.#start(engine, lockDuration)
    this.ready.catch(() => {})
  }

  /**
   * @param {import('./types').Engine} engine
   * @param {number} lockDuration
   */
  async #start(engine, lockDuration) {
    this.#consumer = await engine.consume({
      onTask: this.#executor.run,
      capacity: () => capacityOf(this.#pool),
      lockDuration
    })
  }

  stats() {
    const consumer = this.#consumer?.stats() ?? { running: 0, leasesOver: 0, locksLost: 0, errors: 0 }
    return { ...consumer, ...this.#executor.counts, capacity: capacityOf(this.#pool) }
  }

  /** @param {number} grace milliseconds that running tasks get to end */
  close(grace) {
    this.#closed ??= this.#end(grace)
    return this.#closed
  }

  /** @param {number} grace */
  async #end(grace) {
    await this.ready.catch(() => {})
    await this.#consumer?.close({ grace })
    await this.#pool.close({ timeout: END })
  }
}

/** How many tasks a pool runs at once. @param {InstanceType<typeof Pool>} pool */
function capacityOf({ options: { maxThreads, concurrentTasksPerWorker } }) {
  return maxThreads * concurrentTasksPerWorker
}

module.exports = { Host }
