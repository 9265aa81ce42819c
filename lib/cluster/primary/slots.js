'use strict'

// The slots of a cluster: how many there are, which of them get a process and when, and what it means for all of
// them when the process of one dies.

const { invalidArgument } = require('../../errors')
const { show } = require('../../pool/options/validate')
const { Slot } = require('./slot')
const { Verdicts } = require('./verdict')
const { withResolvers } = require('./with-resolvers')

class Slots {
  /** @type {Slot[]} */
  #all = []
  #options
  #host
  #size
  #verdicts
  #ready = withResolvers()

  /**
   * @param {import('../options').ClusterOptions} options
   * @param {object} host
   * @param {() => import('./spec').Spec} host.spec
   * @param {(slot: Slot, spec: import('./spec').Spec) => import('./supervised').SupervisedProcess} host.fork
   * @param {() => boolean} host.running is the cluster, or does it end?
   * @param {() => boolean} host.reloading
   * @param {(size: number) => void} host.sized
   * @param {(slot: Slot, from: string) => void} host.changed told first of a change of state
   * @param {() => void} host.followed told when what follows from it for other slots has been done
   * @param {(info: { slot: number, restarts: number, held: boolean }) => void} host.held
   * @param {(why: 'noBoot'|'crashLoop', message: string) => void} host.fail
   * @param {(line: string) => void} host.log
   */
  constructor(options, host) {
    this.#options = options
    this.#host = host
    this.#size = options.processes
    this.#verdicts = new Verdicts(options)
    // Programs that do not wait for it learn of it by the exit code.
    this.#ready.promise.catch(() => {})
  }

  /** Those that there have been, also when they are stopped. */
  get all() {
    return this.#all
  }

  get size() {
    return this.#size
  }

  /** Resolves when every slot has a ready process (or has failed while others are ready); rejects when none could boot. */
  get ready() {
    return this.#ready.promise
  }

  /** Has any process ever been ready? */
  get everReady() {
    return this.#verdicts.everReady
  }

  /** No more will be ready. @param {Error} why */
  giveUp(why) {
    this.#ready.reject(why)
  }

  /** Deaths up to now are no part of a crash loop. */
  forget() {
    this.#verdicts.forget()
  }

  /** The first goes alone: if it cannot boot, few forks tell so. */
  start() {
    this.#at(0).start()
  }

  /** @param {number} id @param {string} what it is wanted for */
  find(id, what) {
    const slot = Number.isInteger(id) && id >= 0 && id < this.#size ? this.#all[id] : undefined
    if (slot === undefined)
      throw invalidArgument(`${what}: the slot must be an integer from 0 to ${this.#size - 1}, got ${show(id)}`)
    return slot
  }

  /**
   * Resolves when the new processes are ready or the old ones gone.
   * @param {number} size
   */
  async scale(size) {
    const { maxProcesses } = this.#options
    if (!Number.isInteger(size) || size < 1 || size > maxProcesses) {
      throw invalidArgument(
        `scale: the number of processes must be an integer from 1 to 'maxProcesses' (${maxProcesses}), got ${show(size)}`
      )
    }
    this.#size = size
    this.#host.sized(size)
    const gone = this.#all
      .slice(size)
      .filter(({ state }) => state !== 'stopped')
      .map((slot) => slot.stop({ kind: 'scale' }))
    const added = []
    for (let id = 0; id < size; id++) {
      const slot = this.#at(id)
      if (slot.state === 'stopped' || (slot.state === 'draining' && slot.current === undefined)) {
        slot.start()
        added.push(slot)
      }
    }
    await Promise.all([...gone, ...added.map((slot) => slot.settled())])
  }

  /** A reload was the hope of slots that crash in a loop, and has failed. */
  endIfLost() {
    const slots = this.#all.slice(0, this.#size)
    if (this.#options.crashLoop.action === 'hold' || !slots.every(({ state }) => state === 'failed')) return
    this.#host.fail('crashLoop', 'crash loop, and no process is ready after the reload was given up')
  }

  #at(/** @type {number} */ id) {
    const { spec, fork } = this.#host
    for (let next = this.#all.length; next <= id; next++) {
      this.#all.push(
        new Slot(next, {
          options: this.#options,
          spec,
          fork,
          died: (slot, cause) => this.#died(slot, cause),
          changed: (slot, from) => this.#changed(slot, from)
        })
      )
    }
    return this.#all[id]
  }

  /** @returns {'restart'|'hold'} */
  #died(/** @type {Slot} */ slot, /** @type {import('./causes').Cause} */ cause) {
    const { fail, log, held, reloading } = this.#host
    const others = this.#all.some((other) => other !== slot && other.current?.state === 'ready')
    // One that takes over may end the loop; if it does not, the end of the reload is the end.
    const hope = reloading() && this.#all.some(({ next }) => next !== undefined)
    const verdict = this.#verdicts.judge(others || hope)
    if (verdict === 'no-boot') {
      const { bootFailures } = this.#verdicts
      fail('noBoot', `no process could boot in ${bootFailures} attempts; the last ${cause.message}`)
    } else if (verdict === 'crash-loop') {
      fail('crashLoop', `crash loop, and no process is ready; slot ${slot.id} ${cause.message}`)
    } else if (this.#verdicts.everReady) {
      log(`slot ${slot.id} ${cause.message}${verdict === 'hold' ? '; held, as processes crash in a loop' : ''}`)
    }
    if (verdict === 'hold') held({ slot: slot.id, restarts: slot.restarts, held: true })
    setImmediate(() => this.#checkReady())
    return verdict === 'restart' ? 'restart' : 'hold'
  }

  #changed(/** @type {Slot} */ slot, /** @type {string} */ from) {
    this.#host.changed(slot, from)
    if (slot.state === 'ready' && !this.#verdicts.everReady) {
      this.#verdicts.everReady = true
      for (let id = 1; id < this.#size; id++) this.#at(id).start()
    }
    this.#checkReady()
    this.#host.followed()
  }

  #checkReady() {
    if (!this.#verdicts.everReady || !this.#host.running()) return
    const slots = this.#all.slice(0, this.#size)
    const bad = (/** @type {Slot} */ { state, failures }) =>
      state === 'failed' || (state === 'backing-off' && failures >= this.#options.bootAttempts)
    if (slots.every((slot) => slot.state === 'ready' || bad(slot)) && slots.some(({ state }) => state === 'ready'))
      this.#ready.resolve()
  }
}

module.exports = { Slots }
