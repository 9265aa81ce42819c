'use strict'

// Reloads: new processes start beside the old ones, which end only when the new ones are ready.

const { RspoolError } = require('../../errors')
const { readOptions, integer, duration, oneOf } = require('../../pool/options/validate')
const { SPEC_RULES } = require('../options')
const { resolveFile } = require('./spec')
const { pause } = require('../../later')

/** How many old processes may still drain while the next new one boots. */
const DRAINING_AT_ONCE = 1
const CANARY = { slots: 1, watch: 1000, maxErrors: 0 }

const RULES = {
  ...SPEC_RULES,
  filename: (/** @type {unknown} */ value, /** @type {string} */ label) => resolveFile(value, label),
  strategy: oneOf('surge', 'all'),
  canary(/** @type {unknown} */ value, /** @type {string} */ label) {
    if (value === true) return CANARY
    if (value === false) return undefined
    const rules = {
      slots: integer(1, 1024),
      watch: duration,
      maxErrors: integer(0, Number.MAX_SAFE_INTEGER, { infinity: true })
    }
    return { ...CANARY, ...readOptions(value, rules, label) }
  }
}

/**
 * @typedef {import('./slot').Slot} Slot
 * @typedef {import('./supervised').SupervisedProcess} SupervisedProcess
 * @typedef {{ replaced: number, forced: number, durationMs: number }} ReloadReport
 * @typedef {import('../../pool/options/validate').ReadBy<typeof RULES>} Options
 */

class Reloads {
  #host
  /** @type {Promise<ReloadReport>|undefined} */
  #running
  /** @type {{ options: Options, promise: Promise<ReloadReport> }|undefined} */
  #waiting

  /**
   * @param {object} host
   * @param {() => Slot[]} host.slots
   * @param {() => import('./spec').Spec} host.spec
   * @param {(spec: import('./spec').Spec) => void} host.setSpec
   * @param {(process: SupervisedProcess) => number} host.errorsOf
   * @param {() => boolean} host.stopped
   * @param {(report: ReloadReport) => void} host.done called once per reload, however many callers asked for it
   * @param {(error: Error) => void} host.failed likewise
   */
  constructor(host) {
    this.#host = host
  }

  /** Resolves when no reload runs or waits. */
  async idle() {
    while (this.#running !== undefined) await this.#running.catch(() => {})
  }

  /**
   * Runs one reload at a time. Callers that ask while one runs share the next one, with the latest options.
   * @param {unknown} given
   * @returns {Promise<ReloadReport>}
   */
  async run(given) {
    const options = readOptions(given, RULES, 'reload options')
    if (this.#running === undefined) return this.#start(options)
    if (this.#waiting !== undefined) {
      Object.assign(this.#waiting.options, options)
      return this.#waiting.promise
    }
    const promise = this.#running
      .catch(() => {})
      .then(() => {
        this.#waiting = undefined
        return this.#start(options)
      })
    this.#waiting = { options, promise }
    return promise
  }

  #start(/** @type {Options} */ options) {
    const run = this.#reload(options)
    this.#running = run
    run.then(this.#host.done, this.#host.failed).then(() => {
      if (this.#running === run) this.#running = undefined
    })
    return run
  }

  async #reload(/** @type {Options} */ { strategy = 'surge', canary, filename, ...changes }) {
    this.#assertRunning()
    const start = performance.now()
    const before = this.#host.spec()
    const after = { ...before, ...changes, ...(filename === undefined ? {} : { file: filename, awaitsMain: false }) }
    const slots = this.#host.slots().filter(({ state }) => state !== 'stopped')
    /** @type {{ slot: Slot, old: SupervisedProcess|undefined }[]} */
    const done = []
    try {
      if (strategy === 'all') {
        await this.#together(slots, after, canary, done)
      } else {
        for (const [at, slot] of slots.entries()) {
          await Promise.all(done.slice(0, -DRAINING_AT_ONCE).map(({ old }) => old?.exited))
          this.#assertRunning()
          // `scale()` may have stopped the slot meanwhile.
          if (slot.state === 'stopped' || slot.state === 'draining') continue
          const watch = canary !== undefined && at < canary.slots ? this.#watch(canary) : undefined
          done.push({ slot, old: (await slot.replace({ kind: 'reload' }, after, watch)).old })
        }
      }
    } catch (error) {
      if (after !== before && !this.#host.stopped()) await this.#rollBack(done, before, { ...changes, filename })
      throw this.#refusal(error, done.length, slots.length)
    }
    this.#host.setSpec(after)
    const causes = await Promise.all(done.map(({ old }) => old?.exited))
    return {
      replaced: done.length,
      forced: causes.filter((cause) => cause?.forced).length,
      durationMs: performance.now() - start
    }
  }

  /** All new processes must be ready before the first old one ends. */
  async #together(
    /** @type {Slot[]} */ slots,
    /** @type {import('./spec').Spec} */ spec,
    /** @type {Options['canary']} */ canary,
    /** @type {{ slot: Slot, old: SupervisedProcess|undefined }[]} */ done
  ) {
    let missing = slots.length
    /** @type {(error?: Error) => void} */
    let settle = () => {}
    const allReady = new Promise((resolve, reject) => {
      settle = (error) => (error === undefined ? resolve(undefined) : reject(error))
    })
    allReady.catch(() => {})
    const watch = canary === undefined ? undefined : this.#watch(canary)
    const outcomes = await Promise.allSettled(
      slots.map(async (slot) => {
        try {
          const { old } = await slot.replace({ kind: 'reload' }, spec, async (fresh) => {
            await watch?.(fresh)
            if (--missing === 0) settle()
            await Promise.race([allReady, died(fresh)])
          })
          done.push({ slot, old })
        } catch (error) {
          settle(/** @type {Error} */ (error))
          throw error
        }
      })
    )
    const failure = outcomes.find(({ status }) => status === 'rejected')
    if (failure !== undefined) throw /** @type {PromiseRejectedResult} */ (failure).reason
  }

  /** A canary serves beside the old process for a while. The reload fails if it dies or answers with too many errors. */
  #watch(/** @type {{ watch: number, maxErrors: number }} */ { watch, maxErrors }) {
    return async (/** @type {SupervisedProcess} */ fresh) => {
      const { done, stop } = pause(watch)
      try {
        await Promise.race([done, died(fresh)])
      } finally {
        stop()
      }
      const errors = this.#host.errorsOf(fresh)
      if (errors > maxErrors) {
        throw new RspoolError(
          'ERR_RSPOOL_NOT_READY',
          `the new process of slot ${fresh.slot} answered ${errors} requests with a server error while watched`
        )
      }
    }
  }

  /** Replaces the processes that were started with new settings, if any, by processes with the former settings. */
  async #rollBack(
    /** @type {{ slot: Slot }[]} */ done,
    /** @type {import('./spec').Spec} */ before,
    /** @type {object} */ changes
  ) {
    if (Object.values(changes).every((change) => change === undefined)) return
    await Promise.allSettled(done.map(({ slot }) => slot.replace({ kind: 'roll-back' }, before)))
  }

  #refusal(/** @type {unknown} */ error, /** @type {number} */ replaced, /** @type {number} */ slots) {
    if (this.#host.stopped())
      return new RspoolError('ERR_RSPOOL_CLUSTER_STOPPED', 'the cluster was stopped during the reload')
    const message = `the reload was given up after ${replaced} of ${slots} slots: ${error instanceof Error ? error.message : error}`
    return Object.assign(new RspoolError('ERR_RSPOOL_RELOAD', message, { cause: error }), { replaced })
  }

  #assertRunning() {
    if (this.#host.stopped()) throw new RspoolError('ERR_RSPOOL_CLUSTER_STOPPED', 'the cluster was stopped')
  }
}

/** @param {SupervisedProcess} process @returns {Promise<never>} */
async function died(process) {
  const cause = await process.exited
  throw new RspoolError('ERR_RSPOOL_NOT_READY', `the new process of slot ${process.slot} ${cause.message}`)
}

module.exports = { Reloads }
