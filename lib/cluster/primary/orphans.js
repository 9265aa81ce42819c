'use strict'

// As process 1 of a container (or as a subreaper) the primary becomes the parent of processes that it did
// not start, when their own parents have ended. When such a process ends, the primary has to reap it. Core reaps only
// its own children, and must find their exits itself.
//
// The system does not tell whose child a process is, but the time does: whenever the event loop polls, libuv reaps all
// of its children that have ended. A zombie that is still there after that is not its child.

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
    // An immediate runs after the loop has polled. A timer alone could run before.
    setImmediate(() => this.#later()).unref()
  }
}

module.exports = { OrphanWatch }
