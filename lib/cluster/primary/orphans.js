'use strict'

// As process 1 of a container (or as a subreaper) the primary becomes the parent of processes that it did
// not start, when those that did have ended. What is left of them when they end has to be waited for,
// and core waits only for its own children, whose exit must not be taken from it.
//
// Who is whose is not told by the system, but by time: whenever the event loop polls, libuv waits for all
// of its children that have ended. What is still there after that is a stranger's.

const native = require('../../native/load')

const LOOK_EVERY = 1000

class OrphanWatch {
  /** @type {Set<number>} */
  #seen = new Set()
  /** @type {NodeJS.Timeout|undefined} */
  #timer
  #closed = false

  constructor() {
    if (native.adoptsOrphans()) this.#later()
  }

  close() {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #later() {
    if (this.#closed) return
    this.#timer = setTimeout(() => this.#look(), LOOK_EVERY)
    this.#timer.unref()
  }

  #look() {
    const zombies = /** @type {number[]} */ (native.zombies())
    this.#seen = new Set(zombies.filter((pid) => !this.#seen.has(pid) || !native.reap(pid)))
    // An immediate comes after the loop has polled; a timer alone could come before.
    setImmediate(() => this.#later()).unref()
  }
}

module.exports = { OrphanWatch }
