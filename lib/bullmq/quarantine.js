'use strict'

// Jobs that were redelivered after their worker had vanished. One of these jobs may have ended that worker, so each
// runs alone, in a process of its own, one at a time. There it can end nothing but itself.

const { fork } = require('node:child_process')
const path = require('node:path')
const { AbortError, WorkerExitError } = require('../errors')
const { revive } = require('../payload/thrown')
const { UnrecoverableError } = require('./special')

const SOLO = path.join(__dirname, 'solo.js')

/** The options of the pool that also apply to the one worker in the other process. */
const KEPT = /** @type {const} */ ([
  'filename',
  'name',
  'argv',
  'env',
  'execArgv',
  'resourceLimits',
  'workerData',
  'abortGrace'
])

class Quarantine {
  #pool
  /** @type {Promise<unknown>} */
  #last = Promise.resolve()

  /** @param {import('./types').Pool} pool */
  constructor(pool) {
    this.#pool = pool
  }

  /**
   * @param {import('./types').Call} call
   * @param {Record<string, unknown>} settings
   * @returns {Promise<unknown>}
   */
  run(call, settings) {
    const turn = this.#last.then(() => alone(this.#options(), call, settings))
    this.#last = turn.catch(() => {})
    return turn
  }

  #options() {
    const { options } = this.#pool
    const kept = /** @type {Record<string, unknown>} */ ({})
    for (const name of KEPT) if (options[name] !== undefined) kept[name] = options[name]
    return kept
  }
}

/**
 * @param {Record<string, unknown>} options of the pool
 * @param {import('./types').Call} call
 * @param {Record<string, unknown>} settings
 * @returns {Promise<unknown>}
 */
function alone(options, call, { signal: given, onProgress: report, ...settings }) {
  const signal = /** @type {AbortSignal | undefined} */ (given)
  const onProgress = /** @type {(value: unknown) => void} */ (report)
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new AbortError(signal.reason))
    const child = fork(SOLO, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const abort = () => {
      child.kill('SIGKILL')
      settle(() => reject(new AbortError(signal?.reason)))
    }
    /** @param {() => void} how */
    const settle = (how) => {
      signal?.removeEventListener('abort', abort)
      how()
    }
    signal?.addEventListener('abort', abort, { once: true })
    child.on('message', (/** @type {[kind: 'progress' | 'value' | 'error', value: never]} */ [kind, value]) => {
      if (kind === 'progress') onProgress(value)
      else settle(() => (kind === 'value' ? resolve(value) : reject(revive(value))))
    })
    child.on('error', (error) => settle(() => reject(error)))
    // By then, everything that the child sent before it ended has been read.
    child.on('close', (code, name) => {
      const how = name === null ? `with exit code ${code}` : `by ${name}`
      const exit = new WorkerExitError(`The task ended its process ${how}`, code ?? 1)
      settle(() => reject(new UnrecoverableError(exit)))
    })
    child.send([options, call, settings], () => {})
  })
}

module.exports = { Quarantine }
