'use strict'

// The work of each worker of a pool at this moment. A helper thread reads the JavaScript stacks of isolates, since an
// isolate that hangs cannot answer. The helper is started when the first stack is asked for, and serves all pools of
// the thread.

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { taskOf } = require('./readings')

/** Milliseconds to wait for the stacks of a pool. */
const PATIENCE = 1000

/** By the ids of threads; null for a thread that did not answer. @typedef {Map<number, string | null>} Stacks */

/** @type {StackReader | undefined} */
let reader

class StackReader {
  #worker
  #last = 0
  /** The pending requests, by number. @type {Map<number, (stacks: Stacks) => void>} */
  #asked = new Map()

  constructor() {
    this.#worker = new Worker(path.join(__dirname, 'stack-thread.js'), {
      name: 'rspool stacks',
      // The preloads and settings of the program are not for this thread.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 }
    })
    this.#worker.on('message', ({ id, stacks }) => this.#settle(id, stacks))
    // The `exit` event says enough.
    this.#worker.on('error', () => {})
    this.#worker.on('exit', () => {
      reader = undefined
      for (const id of this.#asked.keys()) this.#settle(id, new Map())
    })
    this.#worker.unref()
  }

  /**
   * @param {number} id
   * @param {Stacks} stacks
   */
  #settle(id, stacks) {
    this.#asked.get(id)?.(stacks)
    this.#asked.delete(id)
    if (this.#asked.size === 0) this.#worker.unref()
  }

  /**
   * @param {number[]} threads
   * @param {number} patience
   * @returns {Promise<Stacks>}
   */
  read(threads, patience) {
    const id = ++this.#last
    this.#worker.ref()
    return new Promise((resolve) => {
      this.#asked.set(id, resolve)
      this.#worker.postMessage({ id, threads, patience })
    })
  }
}

/**
 * The JavaScript stacks of these threads: empty for a thread that runs nothing. A thread in a system call has no stack,
 * which is known after `patience` milliseconds.
 * @param {number[]} threads
 * @param {number} patience
 * @returns {Promise<Stacks>}
 */
async function stacksOf(threads, patience) {
  if (threads.length === 0) return new Map()
  try {
    reader ??= new StackReader()
  } catch {
    // The system could not start a thread.
    return new Map()
  }
  return reader.read(threads, patience)
}

/** @typedef {InstanceType<typeof import('../isolates/isolate').Isolate>} Isolate */

/**
 * @param {import('../../native/addon').WorkerSnapshot[]} workers
 * @param {Map<number, Isolate>} isolates
 */
async function workersWithStacks(workers, isolates) {
  const threads = [...isolates.values()].map(({ threadId }) => threadId)
  const threadOf = new Map([...isolates].map(([id, { threadId }]) => [id, threadId]))
  const stacks = await stacksOf(threads, PATIENCE)
  return workers.map(({ id, lane, tasks }) => ({
    id,
    lane,
    tasks: tasks.map((task) => ({ ...taskOf(task), progress: task[4] })),
    stack: stacks.get(threadOf.get(id) ?? -1) ?? null
  }))
}

module.exports = { stacksOf, workersWithStacks }
