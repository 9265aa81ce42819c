'use strict'

// How a cluster ends: in peace by `stop()` or a signal, at once by a second signal, or because there is
// no process that could serve. Whichever is first decides the exit code.

const os = require('node:os')
const { RspoolError } = require('../../errors')
const { pause } = require('../../later')
const { flush } = require('../output')

const EXIT = { clean: 0, noBoot: 3, crashLoop: 70 }
/** What an idle connection has at most when somebody waits at a keyboard. */
const KEYBOARD_IDLE = 500
/** What the last lines have when everything is to end at once. */
const LAST_LINES = 500

/** @typedef {import('./supervised').SupervisedProcess} SupervisedProcess */

class Ending {
  /** @type {'running'|'stopping'|'stopped'} */
  phase = 'running'
  /** @type {Promise<{ forced: number, durationMs: number }>|undefined} */
  #stopping
  #forced = 0
  /** Clients are served, also by processes that are yet to come. */
  serving = true
  #options
  #host

  /**
   * @param {import('../options').ClusterOptions} options
   * @param {object} host
   * @param {() => import('./slot').Slot[]} host.slots
   * @param {() => import('./spares').Spares} host.spares
   * @param {() => Promise<void>} host.refuse accepts no more connections
   * @param {() => Promise<void>} host.passedOn resolves when this program has all that its processes wrote
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

  /** A process was cut. */
  noteForced() {
    this.#forced++
  }

  /**
   * Drains all processes and ends.
   * @param {'SIGTERM'|'SIGINT'|'SIGQUIT'} [signal] that asked for it; the program ends then
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

  /** A second signal: everything at once. @param {number} code */
  force(code) {
    this.phase = 'stopping'
    this.serving = false
    this.#kill({ kind: 'forced' }).then(() => this.#finish(code, true, LAST_LINES))
  }

  /**
   * There is nothing to serve with.
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

  /** Ends all processes at once; resolves when they have gone. */
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
    // Callers that wait for a reload or a request that ends with it hear of that first.
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
