'use strict'

// The application's own end: its listeners for SIGTERM, or for SIGINT if it has only those. They expect to be called
// when the process has no more work, and end it by `process.exit()` or by sending the signal again. So the signals are
// held back from them until the drain has come that far. From then on, an attempt to end the process means "I am done".

const { later } = require('../../later')

/** The listeners of the first of these that has any are called. */
const SIGNALS = /** @type {const} */ (['SIGTERM', 'SIGINT'])
/** Signals by which a process ends itself. */
const ENDS = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR2', 1, 2, 3, 12, 15])

/** @typedef {(signal: string, number: number) => unknown} Listener */

class OwnEnd {
  #exit = process.exit
  /** A listener that keeps the signals from ending the process. */
  #ours = () => {}
  #called = false

  /** @param {() => void} drain called for a SIGTERM to this process */
  constructor(drain) {
    const { emit } = process
    process.emit = /** @type {typeof emit} */ (
      function (/** @type {unknown[]} */ ...args) {
        const [name] = args
        if (name !== 'SIGTERM' && name !== 'SIGINT' && name !== 'SIGQUIT') return Reflect.apply(emit, process, args)
        if (name === 'SIGTERM') drain()
        return true
      }
    )
    // Ctrl-C and a closed terminal signal the whole process group, so the primary decides. A signal calls the `emit`
    // that exists when its first listener is added.
    for (const signal of [...SIGNALS, 'SIGHUP', 'SIGQUIT']) process.on(signal, this.#ours)
  }

  /** Whether the application has an end of its own. */
  get exists() {
    return !this.#called && SIGNALS.some((signal) => this.#listeners(signal).length > 0)
  }

  /** Ends the process by the original `process.exit`. @param {number} [code] @returns {never} */
  exit(code) {
    return Reflect.apply(this.#exit, process, code === undefined ? [] : [code])
  }

  /**
   * Has the application end itself.
   * @param {number} limit the most milliseconds that it may take
   * @returns {Promise<boolean>} false if a listener gave a promise that did not settle in time
   */
  async run(limit) {
    const signal = SIGNALS.find((name) => this.#listeners(name).length > 0)
    if (this.#called || signal === undefined) return true
    this.#called = true
    const done = this.#whenDone()
    let working = 0
    for (const listener of this.#listeners(signal)) {
      const result = call(listener, signal)
      if (result === undefined) continue
      working++
      result.then(
        () => working--,
        () => working--
      )
    }
    let cancel = () => {}
    const late = new Promise((resolve) => {
      cancel = later(limit, () => resolve(false), { ref: false })
    })
    const ended = await Promise.race([done, late])
    cancel()
    return ended === true || working === 0
  }

  /** Resolves when the application ends the process, or when nothing keeps the process alive any more. */
  #whenDone() {
    return new Promise((resolve) => {
      const done = () => resolve(true)
      process.exit = /** @type {typeof process.exit} */ (
        (code) => {
          if (code !== undefined) process.exitCode = code ?? undefined
          done()
        }
      )
      const { kill } = process
      process.kill = (pid, signal = 'SIGTERM') => {
        if (pid !== process.pid || !ENDS.has(signal)) return Reflect.apply(kill, process, [pid, signal])
        done()
        return true
      }
      process.channel?.unref()
      process.once('beforeExit', done)
    })
  }

  /** @returns {Listener[]} */
  #listeners(/** @type {'SIGTERM'|'SIGINT'} */ signal) {
    const all = /** @type {Listener[]} */ (process.rawListeners(signal))
    return all.filter((listener) => listener !== this.#ours)
  }
}

/** @param {Listener} listener @param {'SIGTERM'|'SIGINT'} signal @returns {Promise<unknown>|undefined} */
function call(listener, signal) {
  try {
    const result = Reflect.apply(listener, process, [signal, signal === 'SIGTERM' ? 15 : 2])
    return result instanceof Promise ? result : undefined
  } catch (error) {
    // The error is uncaught, as if the system had called the listener.
    setImmediate(() => {
      throw error
    })
    return undefined
  }
}

module.exports = { OwnEnd }
