'use strict'

// The slots of a cluster: how many there are, which of them get a process and when, and the consequences for all slots
// when a process dies.

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
   * @param {() => boolean} host.running whether the cluster runs, and is not ending
   * @param {() => boolean} host.reloading
   * @param {(size: number) => void} host.sized
   * @param {(slot: Slot, from: string) => void} host.changed called first for a change of state
   * @param {() => void} host.followed called when the consequences for other slots have been handled
   * @param {(info: { slot: number, restarts: number, held: boolean }) => void} host.held
   * @param {(why: 'noBoot'|'crashLoop', message: string) => void} host.fail
   * @param {(line: string) => void} host.log
   */
  constructor(options, host) {
    this.#options = options
    this.#host = host
    this.#size = options.processes
    this.#verdicts = new Verdicts(options)
    // Programs that do not await this learn of a failure by the exit code.
    this.#ready.promise.catch(() => {})
  }

  /** All slots so far, including stopped ones. */
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

  /** Whether any process has ever been ready. */
  get everReady() {
    return this.#verdicts.everReady
  }

  /** No more slots will be ready. @param {Error} why */
  giveUp(why) {
    this.#ready.reject(why)
  }

  /** Deaths until now do not count for a crash loop. */
  forget() {
    this.#verdicts.forget()
  }

  /** Starts the first slot alone: if it cannot boot, few forks are wasted. */
  start() {
    this.#at(0).start()
  }

  /** @param {number} id @param {string} what the name of the calling method */
  find(id, what) {
    const slot = Number.isInteger(id) && id >= 0 && id < this.#size ? this.#all[id] : undefined
    if (slot === undefined)
      throw invalidArgument(`${what}: the slot must be an integer from 0 to ${this.#size - 1}, got ${show(id)}`)
    return slot
  }

  /**
   * Resolves when the new processes are ready, or the old ones have ended.
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

  /** Ends the cluster if all slots crash in a loop, and the reload that might have helped has failed. */
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
    // A process that takes over may end the crash loop. If it does not, the cluster ends with the reload.
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
