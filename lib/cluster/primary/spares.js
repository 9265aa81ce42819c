'use strict'

// Spare processes: booted as far as possible without listening, until a slot needs a process. A process that has taken
// a slot is no spare any more, and another spare is booted when all is well again.

const { backoffDelay } = require('./backoff')
const { later } = require('../../later')

/** @typedef {import('./supervised').SupervisedProcess} SupervisedProcess */

class Spares {
  #count
  #backoff
  #host
  /** The spares by their number, which is also that of their row of cells. @type {Map<number, SupervisedProcess>} */
  #processes = new Map()
  /** Deaths in a row of spares that did not live for long. */
  #failures = 0
  /** Cancels the wait for the next start; undefined if there is none. @type {(() => void)|undefined} */
  #cancelStart

  /**
   * @param {import('../options').ClusterOptions} options
   * @param {object} host
   * @param {() => import('./spec').Spec} host.spec
   * @param {{ grace: number, idle: number }} host.limits the limits of a drain
   * @param {() => boolean} host.wanted whether all is well, and no reload is under way
   * @param {(number: number, spec: import('./spec').Spec) => SupervisedProcess} host.fork
   * @param {(process: SupervisedProcess, slot: import('./slot').Slot) => void} host.assign
   * @param {(info: { pid: number|undefined, to: string, slot?: number, cause?: import('./causes').Cause }) => void} host.changed
   * @param {(line: string) => void} host.log
   */
  constructor(options, host) {
    this.#count = options.spare
    this.#backoff = options.backoff
    this.#host = host
  }

  /** All living spares. */
  processes() {
    return [...this.#processes.values()]
  }

  /** Boots missing spares, and ends those that were started with other settings. */
  fill() {
    const { spec, wanted } = this.#host
    if (!wanted() || this.#cancelStart !== undefined) return
    for (let number = 0; number < this.#count; number++) {
      const there = this.#processes.get(number)
      if (there === undefined) this.#start(number)
      else if (there.spec !== spec()) this.#retire(there, { kind: 'reload' })
    }
  }

  /**
   * Gives a ready spare to the slot, if there is one with these settings.
   * @param {import('./slot').Slot} slot
   * @param {import('./spec').Spec} spec
   */
  take(slot, spec) {
    for (const [number, process] of this.#processes) {
      if (process.state !== 'spare' || process.spec !== spec || !process.worker.isConnected()) continue
      this.#processes.delete(number)
      this.#host.assign(process, slot)
      this.#host.changed({ pid: process.pid, to: 'assigned', slot: slot.id })
      return process
    }
    return undefined
  }

  /** Ends all spares, and starts no more. */
  async stop() {
    this.#cancelStart?.()
    await Promise.all(this.processes().map((process) => this.#retire(process, { kind: 'stop' })))
  }

  #retire(/** @type {SupervisedProcess} */ process, /** @type {{ kind: string }} */ reason) {
    return process.state === 'draining' ? process.exited : process.drain(reason, this.#host.limits)
  }

  #start(/** @type {number} */ number) {
    let process
    try {
      process = this.#host.fork(number, this.#host.spec())
    } catch (error) {
      this.#host.log(`a spare process could not be started: ${/** @type {Error} */ (error).message}`)
      return this.#later()
    }
    this.#processes.set(number, process)
    this.#host.changed({ pid: process.pid, to: 'booting' })
    process.once('spare', () => this.#host.changed({ pid: process.pid, to: 'ready' }))
    process.once('exit', (cause) => {
      // The slot handles a process that was given to it.
      if (this.#processes.get(number) !== process) return
      this.#processes.delete(number)
      this.#host.changed({ pid: process.pid, to: 'ended', cause })
      if (cause.planned) return this.fill()
      this.#host.log(`a spare process ${cause.message}`)
      if (performance.now() - process.startedAt >= this.#backoff.stableAfter) this.#failures = 0
      this.#later()
    })
  }

  #later() {
    const start = () => {
      this.#cancelStart = undefined
      this.fill()
    }
    this.#cancelStart = later(backoffDelay(++this.#failures, this.#backoff), start, { ref: false })
  }
}

module.exports = { Spares }
