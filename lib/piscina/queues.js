'use strict'

// The queues of piscina, and the check of a user's own queue.

/** The property with which an input passes options to a queue of the user. */
const queueOptionsSymbol = Symbol.for('Piscina.queueOptions')

/**
 * @param {unknown} value
 * @returns {value is import('./types').TaskQueue}
 */
function isTaskQueue(value) {
  if (value === null || typeof value !== 'object' || !('size' in value)) return false
  const { push, shift, remove } = /** @type {Record<string, unknown>} */ (value)
  return [push, shift, remove].every((method) => typeof method === 'function')
}

/**
 * First in, first out: an array.
 * @template Task
 */
class ArrayTaskQueue {
  /** @type {Task[]} */
  tasks = []

  get size() {
    return this.tasks.length
  }

  /** @param {Task} task */
  push(task) {
    this.tasks.push(task)
  }

  /** @param {Task} task */
  unshift(task) {
    this.tasks.unshift(task)
  }

  /** @returns {Task | null} null if there is none */
  shift() {
    return this.tasks.shift() ?? null
  }

  /** @param {Task} task */
  remove(task) {
    const at = this.tasks.indexOf(task)
    if (at >= 0) this.tasks.splice(at, 1)
  }
}

/**
 * First in, first out, in constant time: a ring that grows. Its length is a power of two.
 * @template Task
 */
class FixedQueue {
  /** @type {(Task | undefined)[]} */
  #ring = new Array(16)
  #first = 0
  #size = 0

  get size() {
    return this.#size
  }

  isEmpty() {
    return this.#size === 0
  }

  /** @param {Task} task */
  push(task) {
    this.#makeRoom()
    this.#ring[this.#at(this.#size++)] = task
  }

  /** @param {Task} task */
  unshift(task) {
    this.#makeRoom()
    this.#first = this.#at(-1)
    this.#ring[this.#first] = task
    this.#size++
  }

  /** @returns {Task | null} null if there is none */
  shift() {
    if (this.#size === 0) return null
    const task = /** @type {Task} */ (this.#ring[this.#first])
    this.#ring[this.#first] = undefined
    this.#first = this.#at(1)
    this.#size--
    return task
  }

  /** @param {Task} task */
  remove(task) {
    for (let i = 0; i < this.#size; i++) {
      if (this.#ring[this.#at(i)] !== task) continue
      // The tasks ahead of it move back. A task that is given up has seldom waited behind many.
      for (; i > 0; i--) this.#ring[this.#at(i)] = this.#ring[this.#at(i - 1)]
      this.shift()
      return
    }
  }

  /** @param {number} i */
  #at(i) {
    return (this.#first + i) & (this.#ring.length - 1)
  }

  #makeRoom() {
    const { length } = this.#ring
    if (this.#size < length) return
    this.#ring = [...this.#ring.slice(this.#first), ...this.#ring.slice(0, this.#first), ...new Array(length)]
    this.#first = 0
  }
}

module.exports = { ArrayTaskQueue, FixedQueue, isTaskQueue, queueOptionsSymbol }
