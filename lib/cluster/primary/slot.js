'use strict'

// A slot: the stable place of one process. It restarts a process that died, waits between restarts, and can start a new
// process beside the old one before the old one ends.
//
//   booting ─► ready ─► draining ─► (gone)
//      │         │
//      └────┬────┘ died
//           ▼
//      backing-off ─► booting          failed: held, until restart() or reload()

const { backoffDelay } = require('./backoff')
const { later } = require('../../later')
const { RspoolError } = require('../../errors')

class Slot {
  /** @type {'booting'|'ready'|'draining'|'stalled'|'backing-off'|'failed'|'stopped'} */
  state = 'stopped'
  /** The process that serves. @type {import('./supervised').SupervisedProcess|undefined} */
  current
  /** The process that will take over. @type {import('./supervised').SupervisedProcess|undefined} */
  next
  /** The processes that drain. @type {Set<import('./supervised').SupervisedProcess>} */
  leaving = new Set()
  generation = 0
  restarts = 0
  /** The last few deaths. @type {import('../../../types/cluster').ProcessStatus['causes']} */
  causes = []
  /** Deaths in a row without a stable time between them. */
  failures = 0
  /** How long the slot waits before it replaces a process that died, in milliseconds. */
  delay = 0
  #stopped = false
  /** @type {Array<(value?: unknown) => void>} told of the next change of state */
  #waiting = []
  #cancelStart = () => {}

  /**
   * @param {number} id
   * @param {object} host the part of the supervisor that a slot needs
   * @param {import('../options').ClusterOptions} host.options
   * @param {() => import('./spec').Spec} host.spec
   * @param {(slot: Slot, spec: import('./spec').Spec) => import('./supervised').SupervisedProcess} host.fork
   * @param {(slot: Slot, cause: import('./causes').Cause) => 'restart'|'hold'} host.died
   * @param {(slot: Slot, from: string) => void} host.changed
   */
  constructor(id, host) {
    this.id = id
    this.host = host
  }

  /** Starts a process if there is none. */
  start() {
    this.#stopped = false
    this.#cancelStart()
    if (this.current !== undefined) return
    let fresh
    try {
      fresh = this.#fork(this.host.spec())
    } catch (error) {
      // The system may be out of descriptors, memory or processes for a while.
      const message = `could not be started: ${/** @type {Error} */ (error).message}`
      /** @type {import('./causes').Cause} */
      const cause = { kind: 'exit', code: null, signal: null, message, planned: false, forced: false }
      this.#remember(cause)
      return this.#died(undefined, cause)
    }
    this.current = fresh
    this.#to('booting')
    fresh.once('ready', () => {
      if (this.current === fresh) this.#to('ready')
    })
    this.#follow(fresh)
  }

  /**
   * Starts a new process. When it is ready, it takes the place of the old one, which drains. If it does not get ready,
   * it is ended, the old one stays, and the promise rejects with the reason.
   * @param {{ kind: string }} reason for the old one
   * @param {import('./spec').Spec} [spec]
   * @param {(fresh: import('./supervised').SupervisedProcess) => Promise<void>} [watch] may still reject before the old one
   *   drains
   */
  async replace(reason, spec = this.host.spec(), watch) {
    if (this.next !== undefined) throw new RspoolError('ERR_RSPOOL_RELOAD', `slot ${this.id} is being replaced already`)
    if (this.#stopped) throw new RspoolError('ERR_RSPOOL_CLUSTER_STOPPED', `slot ${this.id} was stopped`)
    const fresh = this.#fork(spec)
    this.#cancelStart()
    this.next = fresh
    this.#follow(fresh)
    try {
      await readyOrDead(fresh)
      await watch?.(fresh)
      if (this.next !== fresh)
        throw new RspoolError('ERR_RSPOOL_RELOAD', `the new process of slot ${this.id} was ended`)
    } catch (error) {
      if (this.next === fresh) {
        this.next = undefined
        this.#dismiss(fresh, { kind: 'roll-back' })
      }
      if (this.state === 'backing-off' && !this.#stopped) this.#startLater()
      throw error
    }
    this.next = undefined
    const old = this.current
    this.current = fresh
    this.failures = 0
    this.#to('ready')
    if (old !== undefined) this.#leave(old, reason)
    return { fresh, old }
  }

  /**
   * Ends all processes of this slot, and starts no new one.
   * @param {{ kind: string }} reason
   * @param {{ grace: number, idle: number }} [limits]
   */
  async stop(reason, limits = this.#limits()) {
    this.#stopped = true
    this.#cancelStart()
    const { next } = this
    this.next = undefined
    if (next !== undefined) this.#dismiss(next, reason, limits)
    if (this.current !== undefined) {
      this.#to('draining')
      this.#leave(this.current, reason, limits)
      this.current = undefined
    }
    await Promise.all([...this.leaving, next].map((process) => process?.exited))
    this.#to('stopped')
  }

  /** Ends everything at once. @param {{ kind: string }} reason */
  kill(reason) {
    this.#stopped = true
    this.#cancelStart()
    for (const process of this.processes()) process.kill(reason)
  }

  /**
   * Resolves when the slot is ready. Rejects if it was held or stopped, or keeps failing.
   * @returns {Promise<void>}
   */
  async settled() {
    while (this.state !== 'ready') {
      if (this.state === 'failed' || this.state === 'stopped' || this.failures >= this.host.options.bootAttempts) {
        throw new RspoolError(
          'ERR_RSPOOL_NOT_READY',
          `slot ${this.id} did not get ready: ${this.causes.at(-1)?.message ?? `it is ${this.state}`}`
        )
      }
      await new Promise((resolve) => this.#waiting.push(resolve))
    }
  }

  /** All living processes of the slot. */
  processes() {
    return [this.current, this.next, ...this.leaving].filter((process) => process !== undefined)
  }

  /** Whether a process is on its way, or will be, since the present one has just ended. */
  get expects() {
    const { state, current, next } = this
    if (this.#stopped || state === 'failed') return false
    return next !== undefined || state !== 'ready' || current?.worker.isConnected() !== true
  }

  /** The watcher has killed the process, or is about to. */
  markStalled() {
    this.#to('stalled')
  }

  #limits() {
    const { grace, drainIdle } = this.host.options
    return { grace, idle: drainIdle }
  }

  #fork(/** @type {import('./spec').Spec} */ spec) {
    this.generation++
    return this.host.fork(this, spec)
  }

  /** Ends a process that does not take over. It may have requests if it was ready. */
  #dismiss(
    /** @type {import('./supervised').SupervisedProcess} */ fresh,
    /** @type {{ kind: string }} */ reason,
    limits = this.#limits()
  ) {
    if (fresh.state === 'ready') this.#leave(fresh, reason, limits)
    else fresh.kill(reason)
  }

  #leave(
    /** @type {import('./supervised').SupervisedProcess} */ old,
    /** @type {{ kind: string }} */ reason,
    limits = this.#limits()
  ) {
    this.leaving.add(old)
    old.drain(reason, limits)
  }

  #follow(/** @type {import('./supervised').SupervisedProcess} */ process) {
    process.once('draining', () => {
      // The process itself got a SIGTERM: it will end, so another is started now.
      if (this.current !== process) return
      this.current = undefined
      this.leaving.add(process)
      if (!this.#stopped) this.start()
    })
    process.once('exit', (cause) => {
      this.leaving.delete(process)
      if (this.next === process) this.next = undefined
      if (this.current !== process) return
      this.current = undefined
      this.#remember(cause)
      if (!this.#stopped) this.#died(process, cause)
    })
  }

  #remember(/** @type {Pick<import('./causes').Cause, 'kind' | 'message'>} */ { kind, message }) {
    this.causes = [...this.causes, { at: Date.now(), kind, message }].slice(-10)
  }

  #died(
    /** @type {import('./supervised').SupervisedProcess|undefined} */ process,
    /** @type {import('./causes').Cause} */ cause
  ) {
    const { backoff } = this.host.options
    if (process?.readyAt !== undefined && performance.now() - process.readyAt >= backoff.stableAfter) this.failures = 0
    this.delay = backoffDelay(this.failures, backoff)
    this.failures++
    if (this.host.died(this, cause) === 'hold') return this.#to('failed')
    if (this.#stopped) return
    this.restarts++
    this.#to('backing-off')
    this.#startLater()
  }

  #startLater() {
    this.#cancelStart()
    this.#cancelStart = later(this.delay, () => this.start())
  }

  #to(/** @type {Slot['state']} */ state) {
    if (this.state === state) return
    const from = this.state
    this.state = state
    this.host.changed(this, from)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** @param {import('./supervised').SupervisedProcess} process @returns {Promise<void>} */
function readyOrDead(process) {
  return new Promise((resolve, reject) => {
    process.once('ready', resolve)
    process.once('exit', (cause) => {
      const error = new RspoolError('ERR_RSPOOL_NOT_READY', `the new process of slot ${process.slot} ${cause.message}`)
      reject(Object.assign(error, { reason: cause }))
    })
  })
}

module.exports = { Slot }
