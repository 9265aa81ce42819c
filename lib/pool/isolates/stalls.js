'use strict'

// Isolates that were rung, run no task and do not come. The scheduler says which; here is the one excuse that it
// does not know of, an inspector, and their end: what their stack is, is asked first.

const { isBlocked } = require('../../native/drain')
const { tell } = require('../observe/debug')

/** Milliseconds for the stack of one that is to be ended: nothing waits for it any more, others do its work. */
const PATIENCE = 5000

/** @typedef {InstanceType<typeof import('./isolate').Isolate>} Isolate */

/** Whether a debugger may be attached, which may have stopped any isolate. */
function isInspected() {
  if (require('node:inspector').url() !== undefined) return true
  // A thread other than the main one is not told whether that has one.
  const { isMainThread } = require('node:worker_threads')
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? '']
  return !isMainThread && flags.some((flag) => flag.includes('--inspect'))
}

class Stalls {
  #pool
  #owner
  /** Those whose stacks are being read. @type {Set<Isolate>} */
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
    // A blocked loop hears of no stack.
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
    // It has come meanwhile.
    if (silentMs < 0) return
    const about = `it was rung ${silentMs} ms ago, runs no task and does not come`
    tell(this.#owner.options, isolate, `is being ended: ${about}${stack === null ? '' : `\n${stack}`}`)
    isolate.terminate()
    this.#owner.emit('stalled', { ...isolate.known, silentMs, stack })
  }
}

module.exports = { Stalls }
