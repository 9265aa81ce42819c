'use strict'

// The sending side of a stream: an iterable is pulled as far as the receiver has room, and its items leave in batches.
// Used at both ends: for the items that a generator yields, and for those that it reads.

const { isMoved, unwrap } = require('../../payload/move')
const { later } = require('../../native/environment')
const { Source } = require('./source')

/** The most items per message. */
const LARGEST = 256
/** Milliseconds that an item may wait for others. */
const PATIENCE = 1
/** If items take next to no time, the clock is read once per this many: reading it costs more than an item. */
const STRIDE = 8
const NO_TIME = 0.1

/** @typedef {(items: unknown[], transferList: import('node:worker_threads').Transferable[]) => void} Send */

class Supply {
  #source
  #send
  #isGivenUp
  #room = 0
  /** @type {unknown[]} */
  #batch = []
  /** When the first item of the batch was asked for. */
  #since = 0
  /** When the clock was last read, and how many items may come before it is read again. */
  #read = 0
  #unread = 0
  #pulling = false
  #finished = false
  /** Whether the batch will be sent after a turn of the loop, whatever the source does. */
  #flushes = false
  /** @type {() => void} */
  #resolve = () => {}
  /** @type {(error: unknown) => void} */
  #reject = () => {}
  #onStep = (/** @type {IteratorResult<unknown>} */ step) => {
    this.#pulling = false
    this.#pulled(step)
    this.#pump()
  }
  #onError = (/** @type {unknown} */ error) => {
    this.#pulling = false
    this.#fail(error)
  }
  /** Settles when all items have been sent, or the supply was stopped. @type {Promise<void>} */
  done

  /**
   * @param {Iterable<unknown> | AsyncIterable<unknown>} iterable
   * @param {Send} send
   * @param {() => boolean} isGivenUp called before each item
   */
  constructor(iterable, send, isGivenUp) {
    this.#source = new Source(iterable)
    this.#send = send
    this.#isGivenUp = isGivenUp
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** @param {number} count items that the receiver has room for in addition */
  want(count) {
    this.#room += count
    this.#pump()
  }

  /** No more items are wanted: closes the source. */
  async stop() {
    if (this.#finished) return
    this.#finished = true
    this.#batch = []
    try {
      await this.#source.close()
    } finally {
      this.#resolve()
    }
  }

  #pump() {
    if (this.#pulling) return
    if (this.#batch.length === 0) this.#since = performance.now()
    while (this.#room > 0 && !this.#finished) {
      if (this.#isGivenUp()) return void this.stop().catch(() => {})
      if (this.#source.isAsync) return this.#pullLater()
      this.#pulling = true
      try {
        this.#pulled(this.#source.step())
      } catch (error) {
        this.#fail(error)
      }
      this.#pulling = false
    }
    this.#flush()
  }

  #pullLater() {
    this.#pulling = true
    // The items of the batch do not wait for a slow one.
    if (this.#batch.length > 0 && !this.#flushes) {
      this.#flushes = true
      later(() => {
        this.#flushes = false
        this.#flush()
      })
    }
    this.#source.pull(this.#onStep, this.#onError)
  }

  /** @param {IteratorResult<unknown>} step */
  #pulled(step) {
    if (this.#finished) return
    if (step.done) {
      this.#flush()
      this.#finished = true
      this.#resolve()
      return
    }
    this.#room--
    const size = this.#batch.push(step.value)
    if (size === LARGEST || (--this.#unread <= 0 && this.#isLate())) this.#flush()
  }

  #isLate() {
    const now = performance.now()
    this.#unread = now - this.#read < NO_TIME ? STRIDE : 1
    this.#read = now
    return now - this.#since > PATIENCE
  }

  /** @param {unknown} error of the source, after its items */
  #fail(error) {
    if (this.#finished) return
    this.#flush()
    this.#finished = true
    this.#reject(error)
  }

  #flush() {
    const items = this.#batch
    if (items.length === 0 || this.#finished) return
    this.#batch = []
    try {
      this.#post(items)
    } catch {
      this.#postOneByOne(items)
    }
    this.#since = performance.now()
  }

  /** @param {unknown[]} items */
  #post(items) {
    if (!items.some(isMoved)) return this.#send(items, [])
    const all = items.map((item) => (isMoved(item) ? unwrap(item) : { value: item, transferList: [] }))
    this.#send(
      all.map(({ value }) => value),
      all.flatMap(({ transferList }) => transferList)
    )
  }

  /**
   * One of the items cannot be cloned. The items before it arrive.
   * @param {unknown[]} items
   */
  #postOneByOne(items) {
    try {
      for (const item of items) this.#post([item])
    } catch (error) {
      this.#finished = true
      this.#source.close().catch(() => {})
      this.#reject(error)
    }
  }
}

module.exports = { Supply }
