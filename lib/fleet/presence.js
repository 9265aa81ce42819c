'use strict'

// Whether a caller is still there: while it waits for tasks that are to end with it, it renews a mark in the store.

const { setInterval, clearInterval } = globalThis

/** Marks and looks within the time that they are about. */
const TIMES = 4

class Presence {
  #store

  /** @param {import('./types').Store} store */
  constructor(store) {
    this.#store = store
  }

  /**
   * Says that a caller is there, until the function that it gives is called.
   * @param {string} caller
   * @param {number} ms for which the mark holds
   */
  async show(caller, ms) {
    const mark = () => this.#store.put(key(caller, ms), Buffer.from('1'), ms).catch(() => {})
    await mark()
    const timer = setInterval(mark, ms / TIMES)
    return () => clearInterval(timer)
  }

  /**
   * A signal that aborts when the caller is there no more.
   * @param {string} caller
   * @param {number} ms
   */
  watch(caller, ms) {
    const controller = new AbortController()
    const look = async () => {
      // An engine that does not answer says nothing of the caller.
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
