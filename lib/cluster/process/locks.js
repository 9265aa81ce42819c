'use strict'

// Locks by name over all processes of the cluster. The region decides which caller holds a lock (src/memory/locks).
// This code has the promises of the callers that wait in this process.

const { RspoolError, AbortError, invalidArgument } = require('../../errors')
const { readOptions, abortSignal, duration, callable, show } = require('../../pool/options/validate')
const { unlessGivenUp } = require('../../later')

const MAX_NAME = 250

/**
 * @typedef {import('../../native/environment')} Environment
 * @typedef {{ token: number, signal: AbortSignal }} Held the argument of a function that runs under a lock
 */

class Locks {
  #fd
  #seat
  /** @type {Environment['bound']|undefined} */
  #bound
  /** The callers in line, by ticket. @type {Map<number, () => void>} */
  #waiting = new Map()
  /**
   * The functions that run under a lock, with the controllers of their signals.
   * @type {Map<Promise<unknown>, AbortController>}
   */
  #running = new Map()
  #draining = false

  /** @param {number} fd of the region @param {number} seat */
  constructor(fd, seat) {
    this.#fd = fd
    this.#seat = seat
  }

  /**
   * Runs a function while no other process, and no other call of this one, holds the name.
   * @template T
   * @param {string} name
   * @param {(held: Held) => T | PromiseLike<T>} run
   * @param {unknown} [given]
   * @returns {Promise<T>}
   */
  async lock(name, run, given) {
    checkName(name, 'lock')
    callable(run, 'lock: the second argument')
    const { timeout = Infinity, signal } = readOptions(
      given,
      { timeout: duration, signal: abortSignal },
      'lock options'
    )
    const token = await this.acquire(`lock:${name}`, { timeout, signal })
    if (signal?.aborted) {
      this.leave(token)
      throw aborted(signal.reason)
    }
    const controller = new AbortController()
    const abort = () => controller.abort(signal?.reason)
    if (this.#draining) controller.abort()
    signal?.addEventListener('abort', abort, { once: true })
    const work = (async () => run({ token, signal: controller.signal }))()
    this.#running.set(work, controller)
    try {
      return await work
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#running.delete(work)
      this.leave(token)
    }
  }

  /**
   * Waits in line for a name. Resolves with the token. The caller must call `leave` when it is done.
   * @param {string} name
   * @param {{ timeout?: number, signal?: AbortSignal }} options
   * @returns {Promise<number>}
   */
  async acquire(name, { timeout = Infinity, signal }) {
    if (signal?.aborted) throw aborted(signal.reason)
    const bound = this.#open()
    const token = bound.enterLock(name)
    if (token === 0)
      throw new RspoolError('ERR_RSPOOL_LOCKS_FULL', 'the processes hold or wait for too many different locks')
    if (bound.holdsLock(token)) return token
    const late = () => {
      const what = name.slice(name.indexOf(':') + 1)
      return new RspoolError('ERR_RSPOOL_LOCK_TIMEOUT', `the lock ${show(what)} did not come free within ${timeout} ms`)
    }
    const leave = () => {
      this.#waiting.delete(token)
      this.leave(token)
    }
    if (timeout === 0) {
      leave()
      throw late()
    }
    return unlessGivenUp(
      { ms: timeout, signal, aborted, late, leave },
      (/** @type {(token: number) => void} */ resolve) => {
        this.#waiting.set(token, () => {
          this.#waiting.delete(token)
          resolve(token)
        })
      }
    )
  }

  /** Releases the lock, or leaves the line. @param {number} token */
  leave(token) {
    const next = this.#bound?.leaveLock(token)
    if (next) this.#waiting.get(next)?.()
  }

  /** Tells the functions that run under a lock that this process is ending, and waits for them. */
  async drain() {
    this.#draining = true
    for (const controller of this.#running.values()) controller.abort()
    while (this.#running.size > 0) await Promise.allSettled(this.#running.keys())
  }

  /** Releases all locks (used if the process lives on). */
  close() {
    this.#bound?.closeLocks()
    this.#bound = undefined
  }

  #open() {
    if (this.#bound !== undefined) return this.#bound
    const { bound, setLockRing } = require('../../native/environment')
    bound.openLocks(this.#fd, this.#seat)
    setLockRing(() => {
      // A ring may come after the end.
      if (this.#bound !== undefined) for (const token of bound.lookAtLocks()) this.#waiting.get(token)?.()
    })
    this.#bound = bound
    return bound
  }
}

/** @param {unknown} name @param {string} what */
function checkName(name, what) {
  if (typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= MAX_NAME) return
  throw invalidArgument(`${what}: the name must be a string of 1 to ${MAX_NAME} bytes, got ${show(name)}`)
}

/** @param {unknown} reason */
function aborted(reason) {
  return new AbortError(reason, 'The wait for the lock was aborted')
}

module.exports = { Locks, checkName }
