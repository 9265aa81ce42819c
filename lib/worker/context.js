'use strict'

// The task that the code in this isolate runs for, and whether its caller still waits. `rspool/worker` shows it to
// scripts. Nothing is made before a script asks for it.

const { AsyncLocalStorage, AsyncResource } = require('node:async_hooks')
const { loadAtomic } = require('../native/primordials')
const { PORT_MESSAGE } = require('../payload/port')

const nothing = () => {}

/**
 * One running task.
 */
class Running {
  // A property that somebody adds to Object.prototype must not appear as a field.
  static {
    Object.setPrototypeOf(this.prototype, null)
  }

  /**
   * @param {number} slot
   * @param {number} generation
   * @param {number} ticket
   */
  constructor(slot, generation, ticket) {
    this.slot = slot
    this.generation = generation
    this.ticket = ticket
    /** The number of the function that it calls. */
    this.target = -1
    /** @type {AbortController | undefined} */
    this.controller = undefined
    this.abort = nothing
    /**
     * The receiver of the messages of its stream.
     * @type {((message: import('../payload/messages').StreamMessage) => void) | undefined}
     */
    this.link = undefined
    /** How many nested tasks of it are in the queue or run. It has left its place to them. */
    this.nested = 0
  }

  /** Reads the flag that the scheduler sets. It is true as soon as another thread has written it, even inside a loop. */
  isCancelled() {
    return flags !== undefined && loadAtomic(flags, this.slot) === this.generation
  }

  check() {
    if (this.controller !== undefined && this.isCancelled()) this.abort()
  }

  /** @param {unknown} value */
  progress(value) {
    port?.postMessage([PORT_MESSAGE.PROGRESS, this.ticket, this.generation, value])
  }

  /**
   * @param {number} kind
   * @param {unknown} value
   * @param {import('node:worker_threads').Transferable[]} [transferList]
   */
  send(kind, value, transferList) {
    port?.postMessage([kind, this.ticket, this.generation, value, this.slot], transferList)
  }

  /**
   * @param {import('../payload/messages').FromIsolate} message
   * @param {readonly import('node:worker_threads').Transferable[]} transferList
   */
  post(message, transferList) {
    port?.postMessage(message, transferList)
  }

  get signal() {
    if (this.controller === undefined) {
      const controller = polledController(this)
      this.controller = controller
      // The listeners of the signal run in the context of the task.
      this.abort = AsyncResource.bind(() => controller.abort())
    }
    return this.controller.signal
  }
}

const aborted = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted'))
const throwIfAborted = AbortSignal.prototype.throwIfAborted

/**
 * A controller whose signal reads the flag whenever its state is asked for.
 * @param {Running} running
 */
function polledController(running) {
  const controller = new AbortController()
  const { signal } = controller
  const look = () => {
    if (!aborted.get?.call(signal) && running.isCancelled()) controller.abort()
  }
  Object.defineProperty(signal, 'aborted', {
    configurable: true,
    get() {
      look()
      return aborted.get?.call(signal)
    }
  })
  Object.defineProperty(signal, 'throwIfAborted', {
    configurable: true,
    writable: true,
    value() {
      look()
      return throwIfAborted.call(signal)
    }
  })
  return controller
}

/** @type {import('node:worker_threads').MessagePort | undefined} */
let port
/** @type {Int32Array | undefined} */
let flags
/** @type {(Running | undefined)[]} */
const slots = []
/** The task whose synchronous part runs, or the last one that began. @type {Running | undefined} */
let current
/** Made if several tasks run at once and a script asks for its task. @type {AsyncLocalStorage<Running> | undefined} */
let storage
/** The task that ran when the storage was made, and is not in it. @type {Running | undefined} */
let first
let shared = false
let asked = false

function separate() {
  if (storage !== undefined) return
  storage = new AsyncLocalStorage()
  // A task whose result is being encoded has ended.
  first = current !== undefined && slots[current.slot] === current ? current : undefined
}

const context = {
  /** The pool's script, and the name of the export that its `run` calls. */
  script: { filename: /** @type {string | undefined} */ (undefined), name: 'default' },
  /** Whether this is an isolate of a pool. */
  inWorker: false,
  /** The lowest number from 1 that no living isolate of the pool had when this one started. @type {number | undefined} */
  workerNumber: undefined,
  /**
   * Gives the part of the context that travels with a nested call. Set by the first store.
   * @type {((given: Record<string, unknown> | undefined) => Record<string, unknown> | undefined) | undefined}
   */
  travelling: undefined,

  /**
   * @param {Int32Array} array
   * @param {import('node:worker_threads').MessagePort} toOwner
   * @param {number} concurrency
   * @param {{ filename: string | undefined, name: string }} script
   */
  open(array, toOwner, concurrency, script) {
    context.script = script
    flags = array
    port = toOwner
    shared = concurrency > 1
    if (asked) context.follow()
  },

  /**
   * Makes flags for so many slots, if the present ones are fewer. `use` gives them to the scheduler.
   * @param {number} slots
   * @param {(array: Int32Array | undefined) => void} use
   */
  grow(slots, use) {
    const enough = /** @type {Int32Array} */ (flags).length >= slots
    const array = enough ? undefined : new Int32Array(new SharedArrayBuffer(8 * slots))
    use(array)
    flags = array ?? flags
  },

  /** A script has asked for the context: from now on the context follows asynchronous code. */
  follow() {
    asked = true
    if (shared) separate()
  },

  /** The calling task makes nested calls. While it waits for them, they may run here, too. */
  share() {
    shared = true
    separate()
  },

  current() {
    return storage === undefined ? current : (storage.getStore() ?? first ?? current)
  },

  /** @param {{ slot: number, generation: number }} task */
  runs({ slot, generation }) {
    return slots[slot]?.generation === generation
  },

  /** @param {number} slot */
  has(slot) {
    return slots[slot] !== undefined
  },

  /**
   * @param {number} slot
   * @returns {Running}
   */
  leave(slot) {
    const running = /** @type {Running} */ (slots[slot])
    slots[slot] = undefined
    if (current === running) current = undefined
    if (first === running) first = undefined
    return running
  },

  /**
   * Gives a message to its stream, if the stream has not ended.
   * @param {import('../payload/messages').Of<import('../payload/messages').ToIsolate, typeof PORT_MESSAGE.CREDIT | typeof PORT_MESSAGE.FEED | typeof PORT_MESSAGE.FEED_END>} message
   */
  receive(message) {
    const running = slots[message[1]]
    if (running?.generation !== message[2] || running.link === undefined) return
    current = running
    const told = /** @type {import('../payload/messages').StreamMessage} */ ([message[0], message[3]])
    if (storage === undefined) running.link(told)
    else storage.run(running, running.link, told)
  },

  /** Aborts the signals of the tasks that were given up. */
  checkAll() {
    for (const running of slots) running?.check()
  }
}

/**
 * @param {number} slot
 * @param {number} generation
 * @param {number} ticket
 */
function begin(slot, generation, ticket) {
  return (current = slots[slot] = new Running(slot, generation, ticket))
}

/**
 * Runs a task's function as that task.
 * @param {Running} running the task, which has begun
 * @param {(input: unknown) => unknown} run
 * @param {unknown} input
 */
function enter(running, run, input) {
  if (current !== running) current = running
  return storage === undefined ? run(input) : storage.run(running, run, input)
}

/**
 * Runs a function as a task that has ended: code of the user that the function runs is that task's, and no other's.
 * @template T
 * @param {Running} running
 * @param {(running: Running, value: unknown) => T} run
 * @param {unknown} value
 */
function within(running, run, value) {
  if (storage !== undefined) return storage.run(running, run, running, value)
  const outer = current
  current = running
  try {
    return run(running, value)
  } finally {
    current = outer
  }
}

module.exports = { Running, context, enter, begin, within }
