'use strict'

// How long a worker may rely on its locks. A lock counts from the moment at which its renewal was *sent*, on the
// worker's own clock: if the network is silent, no event says that a renewal failed. A lease that was not renewed
// within 0.8 of the lock's duration is over, and so ends before another worker may begin.

const { performance } = require('node:perf_hooks')

const SHARE = 0.8

const { setTimeout, clearTimeout } = globalThis

class Leases {
  #ms
  #end
  /** When the last renewal of each job's lock was sent. @type {Map<string, number>} */
  #since = new Map()
  /** @type {NodeJS.Timeout | undefined} */
  #timer

  /**
   * @param {number} lockDuration milliseconds
   * @param {(id: string) => void} end called with each job whose lease is over
   */
  constructor(lockDuration, end) {
    this.#ms = lockDuration * SHARE
    this.#end = end
  }

  now() {
    return performance.now()
  }

  /** How many leases there are. */
  get size() {
    return this.#since.size
  }

  /**
   * @param {string} id
   * @param {number} sent when its lock was requested, on the clock of `now`
   */
  begin(id, sent) {
    this.#since.set(id, sent)
    this.#timer ??= this.#after(sent + this.#ms)
  }

  /**
   * @param {string} id
   * @param {number} sent when the renewal was sent
   */
  renew(id, sent) {
    const since = this.#since.get(id)
    if (since !== undefined && sent > since) this.#since.set(id, sent)
  }

  /** @param {string} id */
  finish(id) {
    this.#since.delete(id)
    if (this.#since.size === 0) this.close()
  }

  close() {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** @param {number} at */
  #after(at) {
    return setTimeout(() => this.#look(), Math.max(1, Math.ceil(at - this.now()))).unref()
  }

  #look() {
    const now = this.now()
    let next = Infinity
    for (const [id, since] of this.#since) {
      const end = since + this.#ms
      if (end <= now) {
        this.#since.delete(id)
        this.#end(id)
      } else next = Math.min(next, end)
    }
    this.#timer = next === Infinity ? undefined : this.#after(next)
  }
}

module.exports = { Leases }
