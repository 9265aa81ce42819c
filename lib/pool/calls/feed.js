'use strict'

// An async iterator that is filled from outside, a batch at a time. Several calls of `next` may wait at
// once, and `return` never waits behind them, as it would in an async generator.

const { withCallers } = require('../../payload/thrown')
const { rejecting } = require('../task/rejecting')

/**
 * The calls by which a feed informs its maker.
 * @typedef {object} Hooks
 * @property {() => void} start the first value is asked for
 * @property {(count: number) => void} taken a whole batch has been taken
 * @property {() => unknown} cancel no more values are wanted; `return` awaits its result
 * @property {(waits: boolean) => void} [waits] whether a caller waits for a value
 */

/** @type {unknown[]} */
const NOTHING = []

class Feed {
  #hooks
  /** @type {unknown[]} */
  #batch = NOTHING
  #at = 0
  /** @type {unknown[][]} */
  #batches = []
  /** @type {{ resolve: (step: IteratorResult<unknown, unknown> | Promise<never>) => void }[]} */
  #waiting = []
  #started = false
  #ended = false
  /** @type {{ error: unknown } | undefined} */
  #failure

  /** @param {Hooks} hooks */
  constructor(hooks) {
    this.#hooks = hooks
  }

  // ---- its maker's side ------------------------------------------------------------------------

  get ended() {
    return this.#ended
  }

  /** @param {unknown[]} batch values, at least one; nothing happens after the end */
  push(batch) {
    if (this.#ended) return
    this.#batches.push(batch)
    if (this.#waiting.length === 0) return
    while (this.#waiting.length > 0 && this.#next())
      this.#waiting.shift()?.resolve({ value: this.#take(), done: false })
    if (this.#waiting.length === 0) this.#hooks.waits?.(false)
  }

  /**
   * No more values come; those that are there can be taken.
   * @param {{ error: unknown }} [failure] the error that the taker gets after the values
   */
  end(failure) {
    if (this.#ended) return
    this.#ended = true
    this.#failure = failure
    for (const { resolve } of this.#waiting.splice(0)) {
      if (this.#failure === undefined) resolve({ value: undefined, done: true })
      else {
        const { error } = this.#failure
        resolve(rejecting(() => withCallers(error)))
        this.#failure = undefined
      }
    }
  }

  /**
   * Ends at once, and drops the values that are there.
   * @param {{ error: unknown }} [failure]
   */
  drop(failure) {
    this.#batch = NOTHING
    this.#at = 0
    this.#batches = []
    if (this.#ended) this.#failure = failure
    else this.end(failure)
  }

  /** Whether there is a value to take. */
  #next() {
    if (this.#at < this.#batch.length) return true
    const batch = this.#batches.shift()
    if (batch === undefined) return false
    this.#batch = batch
    this.#at = 0
    return true
  }

  #take() {
    const { length } = this.#batch
    const value = this.#batch[this.#at++]
    if (this.#at === length) {
      this.#batch = NOTHING
      this.#at = 0
      this.#hooks.taken(length)
    }
    return value
  }

  // ---- its taker's side ------------------------------------------------------------------------

  /** @returns {Promise<IteratorResult<unknown, unknown>>} */
  next() {
    if (this.#next()) return Promise.resolve({ value: this.#take(), done: false })
    if (this.#ended) {
      const failure = this.#failure
      this.#failure = undefined
      return failure === undefined
        ? Promise.resolve({ value: undefined, done: true })
        : rejecting(() => withCallers(failure.error))
    }
    return new Promise((resolve) => {
      if (this.#waiting.push({ resolve }) === 1) this.#hooks.waits?.(true)
      if (this.#started) return
      this.#started = true
      this.#hooks.start()
    })
  }

  /**
   * @param {unknown} [value]
   * @returns {Promise<IteratorResult<unknown, unknown>>}
   */
  async return(value) {
    const open = !this.#ended
    this.drop()
    if (open && this.#started) await this.#hooks.cancel()
    return { value, done: true }
  }

  /**
   * @param {unknown} error
   * @returns {Promise<IteratorResult<unknown, unknown>>}
   */
  async throw(error) {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator]() {
    return this
  }

  /** @returns {Promise<void>} */
  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.return()
  }
}

module.exports = { Feed }
