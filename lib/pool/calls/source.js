'use strict'

// The source of inputs: any iterable. Inputs are pulled one at a time, and the iterable is closed when no more are
// wanted.

class Source {
  #iterator
  #pending = false
  #done = false
  /** Whether `next` gives promises. */
  isAsync

  /** @param {Iterable<unknown> | AsyncIterable<unknown>} iterable */
  constructor(iterable) {
    this.isAsync = isAsync(iterable)
    this.#iterator = isAsync(iterable) ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]()
  }

  get done() {
    return this.#done
  }

  /** The next step of a synchronous source. */
  step() {
    try {
      const step = /** @type {IteratorResult<unknown>} */ (this.#iterator.next())
      if (step.done) this.#done = true
      return step
    } catch (error) {
      this.#done = true
      throw error
    }
  }

  /**
   * Asks for the next step. Later either `onStep` or `onError` is called.
   * @param {(step: IteratorResult<unknown>) => void} onStep
   * @param {(error: unknown) => void} onError
   */
  pull(onStep, onError) {
    this.#pending = true
    let promise
    try {
      promise = Promise.resolve(this.#iterator.next())
    } catch (error) {
      promise = Promise.reject(error)
    }
    promise.then(
      (step) => {
        this.#pending = false
        if (step.done) this.#done = true
        onStep(step)
      },
      (error) => {
        this.#pending = false
        this.#done = true
        onError(error)
      }
    )
  }

  /**
   * Tells the source that no more is wanted, and waits for its answer. It does not wait if the source still owes an
   * earlier answer, which may never come.
   */
  async close() {
    if (this.#done) return
    this.#done = true
    const closing = this.#iterator.return?.()
    if (this.#pending) Promise.resolve(closing).catch(() => {})
    else await closing
  }
}

/**
 * @param {Iterable<unknown> | AsyncIterable<unknown>} iterable
 * @returns {iterable is AsyncIterable<unknown>}
 */
function isAsync(iterable) {
  return typeof (/** @type {Partial<AsyncIterable<unknown>>} */ (iterable)[Symbol.asyncIterator]) === 'function'
}

/**
 * @param {unknown} value
 * @returns {value is Iterable<unknown> | AsyncIterable<unknown>}
 */
function isIterable(value) {
  if (value === null || value === undefined) return false
  const { [Symbol.iterator]: synchronous, [Symbol.asyncIterator]: asynchronous } =
    /** @type {Partial<Iterable<unknown> & AsyncIterable<unknown>>} */ (value)
  return typeof synchronous === 'function' || typeof asynchronous === 'function'
}

module.exports = { Source, isIterable }
