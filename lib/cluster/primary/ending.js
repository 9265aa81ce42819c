'use strict'

// How a cluster ends: gracefully by `stop()` or a signal, at once by a second signal, or because no process can serve.
// The first of these decides the exit code.

const os = require('node:os')
const { RspoolError } = require('../../errors')
const { pause } = require('../../later')
const { flush } = require('../output')

const EXIT = { clean: 0, noBoot: 3, crashLoop: 70 }
/** The most time for an idle connection if the user waits at a terminal, in milliseconds. */
const KEYBOARD_IDLE = 500
/** The time for the last lines if everything must end at once, in milliseconds. */
const LAST_LINES = 500

/** @typedef {import('./supervised').SupervisedProcess} SupervisedProcess */

class Ending {
  /** @type {'running'|'stopping'|'stopped'} */
  phase = 'running'
  /** @type {Promise<{ forced: number, durationMs: number }>|undefined} */
  #stopping
  #forced = 0
  /** Whether clients are served, if need be by processes that will be started. */
  serving = true
  #options
  #host

  /**
   * @param {import('../options').ClusterOptions} options
   * @param {object} host
   * @param {() => import('./slot').Slot[]} host.slots
   * @param {() => import('./spares').Spares} host.spares
   * @param {() => Promise<void>} host.refuse stops accepting connections
   * @param {() => Promise<void>} host.passedOn resolves when this program has all output of its processes
   * @param {(why: Error) => void} host.begun
   * @param {(code: number, exits: boolean) => void} host.finished
   */
  constructor(options, host) {
    this.#options = options
    this.#host = host
  }

  get running() {
    return this.phase === 'running'
  }

  /** Notes that a process was cut. */
  noteForced() {
    this.#forced++
  }

  /**
   * Drains all processes and ends.
   * @param {'SIGTERM'|'SIGINT'|'SIGQUIT'} [signal] that asked for it; the program then ends, too
   */
  stop(signal) {
    this.#stopping ??= this.#stop(signal)
    return this.#stopping
  }

  async #stop(/** @type {'SIGTERM'|'SIGINT'|'SIGQUIT'|undefined} */ signal) {
    const start = performance.now()
    const { grace, drainIdle, lameDuckDelay } = this.#options
    const { slots, spares, refuse, begun } = this.#host
    const atKeyboard = signal === 'SIGINT'
    this.phase = 'stopping'
    this.#forced = 0
    begun(new RspoolError('ERR_RSPOOL_CLUSTER_STOPPED', 'the cluster was stopped before it was ready'))
    if (lameDuckDelay > 0 && !atKeyboard) {
      for (const slot of slots()) slot.current?.announceStop()
      await pause(lameDuckDelay).done
    }
    const drain = performance.now()
    this.serving = false
    await refuse()
    const limits = { grace, idle: atKeyboard ? Math.min(drainIdle, KEYBOARD_IDLE) : drainIdle }
    await Promise.all([...slots().map((slot) => slot.stop({ kind: 'stop' }, limits)), spares().stop()])
    const forced = this.#forced
    const cut = signal !== undefined && forced > 0
    const code = cut ? 128 + os.constants.signals[signal] : EXIT.clean
    this.#finish(code, signal !== undefined, grace - (performance.now() - drain))
    return { forced, durationMs: performance.now() - start }
  }

  /** A second signal ends everything at once. @param {number} code */
  force(code) {
    this.phase = 'stopping'
    this.serving = false
    this.#kill({ kind: 'forced' }).then(() => this.#finish(code, true, LAST_LINES))
  }

  /**
   * No process can serve.
   * @param {'noBoot'|'crashLoop'} why
   * @param {string} message
   */
  fail(why, message) {
    const code = EXIT[why]
    const error = new RspoolError(why === 'noBoot' ? 'ERR_RSPOOL_NO_BOOT' : 'ERR_RSPOOL_CRASH_LOOP', message)
    this.phase = 'stopping'
    this.serving = false
    this.#host.begun(Object.assign(error, { exitCode: code }))
    this.#stopping = this.#kill({ kind: 'stop' }).then(() => {
      this.#finish(code, true, this.#options.grace)
      return { forced: 0, durationMs: 0 }
    })
  }

  /** Ends all processes at once. Resolves when they have ended. */
  #kill(/** @type {{ kind: string }} */ reason) {
    const slots = this.#host.slots()
    for (const slot of slots) slot.kill(reason)
    const all = [...slots.flatMap((slot) => slot.processes()), ...this.#host.spares().processes()]
    return Promise.all(all.map((process) => process.kill(reason)))
  }

  #finish(/** @type {number} */ code, /** @type {boolean} */ ends, /** @type {number} */ left) {
    if (this.phase === 'stopped') return
    this.phase = 'stopped'
    const exits = ends && this.#options.exit
    this.#host.finished(code, exits)
    if (!exits) return
    // The callers of a reload or request that ends with this get their answer first.
    setImmediate(async () => {
      const { done, stop } = pause(Math.max(left, LAST_LINES))
      await Promise.race([this.#host.passedOn(), done])
      await Promise.race([flush(), done])
      stop()
      process.exit(code)
    })
  }
}

module.exports = { Ending }
