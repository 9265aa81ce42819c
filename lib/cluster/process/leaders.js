'use strict'

// Functions that run in exactly one process of the cluster. Each process that names one is a candidate: it waits for a
// lock, and runs its function from then on until it drains.

const { callable } = require('../../pool/options/validate')
const { pause } = require('../../later')
const { checkName } = require('./locks')

/** Milliseconds before a candidate stands again after its function has failed. */
const TRY_AGAIN = 1000

class Leaders {
  #locks
  #assigned
  /** @type {Set<Candidate>} */
  #candidates = new Set()
  #draining = false

  /** @param {import('./locks').Locks} locks @param {Promise<unknown>} assigned resolves when this process has a slot */
  constructor(locks, assigned) {
    this.#locks = locks
    this.#assigned = assigned
  }

  /**
   * Makes this process a candidate.
   * @param {string} name
   * @param {(held: import('./locks').Held) => unknown} run
   * @returns {() => Promise<void>} ends the candidacy; resolves when the function has ended, too
   */
  lead(name, run) {
    checkName(name, 'leader')
    callable(run, 'leader: the second argument')
    if (this.#draining) return async () => {}
    const candidate = new Candidate(this.#locks, `leader:${name}`, run)
    this.#candidates.add(candidate)
    this.#assigned.then(() => candidate.stand())
    return () => {
      this.#candidates.delete(candidate)
      return candidate.resign()
    }
  }

  /** Resigns everywhere. Resolves when the functions have ended. */
  async drain() {
    this.#draining = true
    await Promise.all(Array.from(this.#candidates, (candidate) => candidate.resign()))
  }
}

class Candidate {
  #locks
  #name
  #run
  #resigned = new AbortController()
  /** @type {Promise<void>|undefined} */
  #done

  /** @param {import('./locks').Locks} locks @param {string} name @param {(held: import('./locks').Held) => unknown} run */
  constructor(locks, name, run) {
    this.#locks = locks
    this.#name = name
    this.#run = run
  }

  stand() {
    this.#done ??= this.#stand()
  }

  /** Aborts the signal of its function at once. The next leader begins when the function has ended. */
  async resign() {
    this.#resigned.abort()
    await this.#done
  }

  async #stand() {
    const { signal } = this.#resigned
    while (!signal.aborted) {
      try {
        const token = await this.#locks.acquire(this.#name, { signal })
        try {
          await this.#run({ token, signal })
          await aborted(signal)
        } finally {
          this.#locks.leave(token)
        }
      } catch (error) {
        // A function that was told to stop often ends with an AbortError.
        if (signal.aborted && isAbort(error, signal)) return
        require('../../native/environment').uncaught(error)
        await Promise.race([aborted(signal), pause(TRY_AGAIN, { ref: false }).done])
      }
    }
  }
}

/** @param {AbortSignal} signal @returns {Promise<void>} */
function aborted(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** @param {unknown} error @param {AbortSignal} signal */
function isAbort(error, signal) {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
}

module.exports = { Leaders }
