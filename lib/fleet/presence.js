'use strict'

// Whether a caller is still there. While it waits for tasks that must end with it, it renews a mark in the store.

const { setInterval, clearInterval } = globalThis

/** How many marks and looks there are within the time of a mark. */
const TIMES = 4

class Presence {
  #store

  /** @param {import('./types').Store} store */
  constructor(store) {
    this.#store = store
  }

  /**
   * Renews the mark of a caller, until the returned function is called.
   * @param {string} caller
   * @param {number} ms for which a mark is valid
   */
  async show(caller, ms) {
    const mark = () => this.#store.put(key(caller, ms), Buffer.from('1'), ms).catch(() => {})
    await mark()
    const timer = setInterval(mark, ms / TIMES)
    return () => clearInterval(timer)
  }

  /**
   * A signal that aborts when the caller has gone.
   * @param {string} caller
   * @param {number} ms
   */
  watch(caller, ms) {
    const controller = new AbortController()
    const look = async () => {
      // If the engine does not answer, this tells nothing about the caller.
      const mark = await this.#store.get(key(caller, ms), 1).catch(() => true)
      if (mark === undefined) controller.abort('the caller of the task is there no more')
    }
    const timer = setInterval(look, ms / TIMES)
    return { signal: controller.signal, stop: () => clearInterval(timer) }
  }
}

/**
 * @param {string} caller
 * @param {number} ms
 */
function key(caller, ms) {
  return `caller-${caller}-${ms}`
}

module.exports = { Presence }
