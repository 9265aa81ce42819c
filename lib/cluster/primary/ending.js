'use strict'

// How a cluster ends: in peace by `stop()` or a signal, at once by a second signal, or because there is
// no process that could serve. Whichever is first decides the exit code.

const os = require('node:os')
const { setTimeout: sleep } = require('node:timers/promises')
const { RspoolError } = require('../../errors')

const EXIT = { clean: 0, noBoot: 3, crashLoop: 70 }
/** What an idle connection has at most when somebody waits at a keyboard. */
const KEYBOARD_IDLE = 500
const LONGEST = 2 ** 31 - 1

/** @typedef {import('./supervised').SupervisedProcess} SupervisedProcess */

class Ending {
  /** @type {'running'|'stopping'|'stopped'} */
  phase = 'running'
  /** @type {Promise<{ forced: number, durationMs: number }>|undefined} */
  #stopping
  #forced = 0
  #options
  #host

  /**
   * @param {any} options
   * @param {object} host
   * @param {() => import('./slot').Slot[]} host.slots
   * @param {() => import('./spares').Spares} host.spares
   * @param {() => Promise<void>} host.refuse accepts no more connections
   * @param {(why: Error) => void} host.begun
   * @param {(code: number) => void} host.finished
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
      await sleep(Math.min(lameDuckDelay, LONGEST))
    }
    await refuse()
    const limits = { grace, idle: atKeyboard ? Math.min(drainIdle, KEYBOARD_IDLE) : drainIdle }
    await Promise.all([...slots().map((slot) => slot.stop({ kind: 'stop' }, limits)), spares().stop()])
    const forced = this.#forced
    const cut = signal !== undefined && forced > 0
    this.#finish(cut ? 128 + os.constants.signals[signal] : EXIT.clean, signal !== undefined)
    return { forced, durationMs: performance.now() - start }
  }

  /** A second signal: everything at once. @param {number} code */
  force(code) {
    this.phase = 'stopping'
    this.#kill({ kind: 'forced' }).then(() => this.#finish(code, true))
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
    this.#host.begun(Object.assign(error, { exitCode: code }))
    this.#stopping = this.#kill({ kind: 'stop' }).then(() => {
      this.#finish(code, true)
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

  #finish(/** @type {number} */ code, /** @type {boolean} */ ends) {
    if (this.phase === 'stopped') return
    this.phase = 'stopped'
    this.#host.finished(code)
    // Who waits for what ends with it, a reload or a request, hears of that first.
    if (ends && this.#options.exit) setImmediate(() => process.exit(code))
  }
}

module.exports = { Ending }
