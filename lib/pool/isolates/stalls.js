'use strict'

// Isolates that were rung, run no task and do not come. The scheduler says which. This code ends them, after it has
// read their stacks; an open inspector, which the scheduler does not know of, excuses them.

const { isBlocked } = require('../../native/drain')
const { tell } = require('../observe/debug')

/** Milliseconds to wait for the stack of such an isolate. No task waits meanwhile: other isolates do its work. */
const PATIENCE = 5000

/** @typedef {InstanceType<typeof import('./isolate').Isolate>} Isolate */

/** Whether a debugger may be attached. It may have stopped any isolate. */
function isInspected() {
  if (require('node:inspector').url() !== undefined) return true
  // Other threads cannot see whether the main thread has an inspector.
  const { isMainThread } = require('node:worker_threads')
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? '']
  return !isMainThread && flags.some((flag) => flag.includes('--inspect'))
}

class Stalls {
  #pool
  #owner
  /** The isolates whose stacks are being read. @type {Set<Isolate>} */
  #asked = new Set()

  /**
   * @param {import('../../native/addon').NativePool} pool
   * @param {import('.').Owner} owner
   */
  constructor(pool, owner) {
    this.#pool = pool
    this.#owner = owner
  }

  /** @param {Isolate} isolate */
  async found(isolate) {
    if (isInspected()) return this.#pool.excuse(isolate.id)
    this.#asked.add(isolate)
    // A blocked loop cannot receive a stack.
    if (isBlocked()) return this.#end(isolate, null)
    const { threadId } = isolate
    const stacks = await require('../observe/stacks').stacksOf([threadId], PATIENCE)
    this.#end(isolate, stacks.get(threadId) ?? null)
  }

  /** The loop is about to be blocked. */
  catchUp() {
    for (const isolate of this.#asked) this.#end(isolate, null)
  }

  /** @param {Isolate} isolate that has ended */
  gone(isolate) {
    this.#asked.delete(isolate)
  }

  /**
   * @param {Isolate} isolate
   * @param {string | null} stack
   */
  #end(isolate, stack) {
    if (!this.#asked.delete(isolate)) return
    const silentMs = this.#pool.endStalled(isolate.id)
    // The isolate has come meanwhile.
    if (silentMs < 0) return
    const about = `it was rung ${silentMs} ms ago, runs no task and does not come`
    tell(this.#owner.options, isolate, `is being ended: ${about}${stack === null ? '' : `\n${stack}`}`)
    isolate.terminate()
    this.#owner.emit('stalled', { ...isolate.known, silentMs, stack })
  }
}

module.exports = { Stalls }
