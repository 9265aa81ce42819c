'use strict'

// The life of a pool: open, closing (by `close` or `destroy`), ended. Code that depends on the phase asks here.

const { hold, later, release } = require('../native/environment')
const { REMINDER } = require('../native/wire')
const { PoolClosedError } = require('../errors')

/** Both lanes, as bits. */
const BOTH_LANES = 3

/**
 * The parts that end with a pool.
 * @typedef {object} Life
 * @property {import('../native/addon').NativePool} native
 * @property {() => number} pending how many tasks are in flight
 * @property {() => number} isolates how many isolates have not exited
 * @property {() => void} refuse takes no more tasks
 * @property {() => void} stopStarts rejects the callers that wait for isolates
 * @property {() => void} terminate ends all isolates at once
 * @property {() => void} prepare loads the modules that the end needs: later, loading may be impossible
 * @property {() => void} keep keeps the readings for afterwards
 * @property {() => void} ended
 */

class Phase {
  #life
  /** @type {'open' | 'closing' | 'ended'} */
  #name = 'open'
  /** Whether the scheduler has been told. */
  #shut = false
  /** The lanes that have ended, as bits. */
  #lanes = 0
  /** @type {Promise<void> | undefined} */
  #closed
  /** @type {() => void} */
  #resolve = () => {}

  /** @param {Life} life */
  constructor(life) {
    this.#life = life
  }

  get isOpen() {
    return this.#name === 'open'
  }

  get hasEnded() {
    return this.#name === 'ended'
  }

  /** Whether workers are started. They still are while a closing pool finishes its tasks. */
  get hasWork() {
    return this.#name !== 'ended' && !this.#shut
  }

  mustBeOpen() {
    if (this.#name !== 'open') throw new PoolClosedError('The pool is closed')
  }

  /**
   * Takes no more tasks, and ends the pool when all its tasks have ended.
   * @param {number} timeout milliseconds after which the pool is destroyed; never if below 0
   * @returns {Promise<void>}
   */
  close(timeout) {
    const closed = this.#begin()
    if (this.#life.pending() === 0) this.#shutDown()
    if (timeout >= 0 && !this.hasEnded) this.#life.native.remind(REMINDER.CLOSE, timeout)
    return closed
  }

  /**
   * Ends all tasks and workers.
   * @returns {Promise<void>}
   */
  destroy() {
    const closed = this.#begin()
    if (!this.hasEnded) {
      this.#shut = true
      this.#life.native.destroy()
      this.#life.terminate()
    }
    return closed
  }

  /** No task is in flight any more. */
  empty() {
    if (this.#name === 'closing') this.#shutDown()
  }

  /** @param {number} lane */
  laneEnded(lane) {
    this.#lanes |= 1 << lane
    this.advance()
  }

  /** A lane, an isolate or a task has ended. Ends the pool if that was the last. */
  advance() {
    const { native, pending, isolates } = this.#life
    if (this.#name !== 'closing' || !this.#shut || this.#lanes !== BOTH_LANES) return
    if (isolates() > 0 || pending() > 0) return
    this.#life.keep()
    this.#name = 'ended'
    native.release()
    release()
    this.#life.ended()
    // After the messages that workers posted to other ports before their end, which come with a turn of the loop.
    later(() => later(() => this.#resolve()))
  }

  /** @returns {Promise<void>} */
  #begin() {
    if (this.#closed !== undefined) return this.#closed
    this.#name = 'closing'
    this.#life.prepare()
    this.#life.refuse()
    hold()
    return (this.#closed = new Promise((resolve) => {
      this.#resolve = () => resolve(undefined)
    }))
  }

  #shutDown() {
    if (this.#shut) return
    this.#shut = true
    this.#life.native.close()
    this.#life.stopStarts()
  }
}

module.exports = { Phase }
