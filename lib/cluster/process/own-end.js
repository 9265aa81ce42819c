'use strict'

// The end that an application has written for itself: its listeners of SIGTERM, or of SIGINT where it has only
// those. They expect to be called when nothing is asked of the process any more, and end it by
// `process.exit()` or by the signal once more. So the signals are held back from them until the drain has
// come so far; what would end the process from then on is heard as "I am done".

const { later } = require('../../later')

/** In this order: the listeners of one are called. */
const SIGNALS = /** @type {const} */ (['SIGTERM', 'SIGINT'])
/** These mean the end when the process sends them to itself. */
const ENDS = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR2', 1, 2, 3, 12, 15])

/** @typedef {(signal: string, number: number) => unknown} Listener */

class OwnEnd {
  #exit = process.exit
  /** With a listener the signals do not end the process. */
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
    // Ctrl-C reaches the whole group, and a closed terminal too: the primary decides. A signal calls what `emit`
    // is when its first listener comes.
    for (const signal of [...SIGNALS, 'SIGHUP', 'SIGQUIT']) process.on(signal, this.#ours)
  }

  /** Has the application an end of its own? */
  get exists() {
    return !this.#called && SIGNALS.some((signal) => this.#listeners(signal).length > 0)
  }

  /** Ends the process, whatever `process.exit` has become. @param {number} [code] @returns {never} */
  exit(code) {
    return Reflect.apply(this.#exit, process, code === undefined ? [] : [code])
  }

  /**
   * Has the application end itself.
   * @param {number} limit milliseconds that it has at most
   * @returns {Promise<boolean>} false when it said by a promise that it has to do something, and has not done it in time
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

  /** Resolves when the application ends the process, or when nothing is left that could keep it. */
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
    // As if the system had called it.
    setImmediate(() => {
      throw error
    })
    return undefined
  }
}

module.exports = { OwnEnd }
