'use strict'

// The class that the user makes: the methods of a pool, over many machines. The engine carries the tasks, and workers
// run them in their own pools. This is the callers' side.

const { createHash, randomUUID } = require('node:crypto')
const { AbortError, PoolClosedError, QueueFullError, invalidArgument } = require('../errors')
const { show } = require('../pool/options/validate')
const { Caller, read } = require('./caller')
const { seal, travelling } = require('./envelope')
const { openEngine } = require('./engines')
const { lost } = require('./errors')
const { FLEET, WAITED, SENT, MAPPED, WORK, readOptions } = require('./options')
const { pause } = require('../later')
const { Presence } = require('./presence')
const { moduleOf, storeOf } = require('./store')
const { Values } = require('./values')

/**
 * @typedef {import('./types').Envelope} Envelope
 * @typedef {import('./types').AddOptions} AddOptions
 * @typedef {import('./types').FleetOptions} FleetOptions
 * @typedef {import('./types').WorkOptions} WorkOptions
 */

/**
 * The options of a call, however it is made, after they have been read.
 * @typedef {import('../pool/options/validate').ReadBy<typeof WAITED & typeof SENT>} CallOptions
 */

const HOUR = 3_600_000
const TARGET_WAIT = 10_000
/** Milliseconds that a task may take beyond its own limits before its caller gives up waiting. */
const REPLY_GRACE = 60_000
/** BullMQ delivers jobs of priority 0 before all others, so each task has a priority above 0. */
const PRIORITY_BASE = 21
/** How many tasks are added between two counts of the waiting ones. */
const COUNT_EVERY = 100
/** Milliseconds between two looks for a result. */
const FIRST_LOOK = 50
const LONGEST_LOOK = 2000

class Fleet {
  #name
  /** @type {FleetOptions} */
  #options
  #engine
  #values
  #caller
  #added = 0
  #full = false
  #closed = false
  /** @type {Set<import('./work').Work>} */
  #works = new Set()
  /** The worker of a fleet without a connection. @type {import('./work').Work | undefined} */
  #own

  /**
   * @param {string} name
   * @param {FleetOptions} [options]
   */
  constructor(name, options) {
    if (typeof name !== 'string' || !/^[\w.-]{1,100}$/.test(name))
      throw invalidArgument(`Fleet: the name must be 1 to 100 letters, digits, '.', '_' or '-', got ${show(name)}`)
    this.#name = name
    this.#options = readOptions(options, FLEET, 'Fleet')
    const { connection, prefix, store, maxInputSize = 64 * 1024 * 1024, pool, tasks } = this.#options
    if ((pool === undefined) !== (tasks === undefined))
      throw invalidArgument(
        "Fleet: 'pool' and 'tasks' go together: the pool of this process, and what it may be asked for"
      )
    this.#engine = openEngine(name, { connection, prefix })
    this.#values = new Values(storeOf(store, this.#engine.store), maxInputSize)
    this.#caller = new Caller(this.#engine, this.#values)
  }

  get name() {
    return this.#name
  }

  /**
   * Creates or migrates the tables of a PostgreSQL database for the installed BullMQ: a step of a deploy.
   * @param {unknown} connection
   * @returns {Promise<void>}
   */
  static migrate(connection) {
    return require('./engines/connect').migrate(connection)
  }

  /**
   * @param {string} task
   * @param {unknown} [input]
   * @param {object} [given]
   * @returns {Promise<unknown>}
   */
  async runTask(task, input, given) {
    const options = readOptions(given, WAITED, 'runTask')
    this.#refuse(options.signal)
    const { timeout = HOUR, queueTimeout = 0, orphanTimeout: orphan } = options
    const { resultTimeout = timeout + queueTimeout + REPLY_GRACE } = options
    const envelope = this.#contents(task, input, options, { retries: 0, reply: this.#caller.name, orphan })
    return this.#ask(envelope, { ...options, resultTimeout })
  }

  /**
   * Adds a task, and waits for its end.
   * @param {Promise<Envelope>} contents
   * @param {CallOptions & { resultTimeout: number }} options
   * @returns {Promise<unknown>}
   */
  async #ask(contents, options) {
    const { signal, orphanTimeout: orphan } = options
    const [envelope] = await Promise.all([contents, this.#prepared()])
    this.#refuse(signal)
    const id = idOf(options.key)
    const gone =
      orphan === undefined ? undefined : await new Presence(this.#engine.store).show(this.#caller.name, orphan)
    const result = this.#caller.wait(id, options).finally(gone)
    // The promise may settle before the engine has answered.
    result.catch(() => {})
    try {
      await this.#engine.add([{ envelope, options: this.#addOptions(id, options) }])
    } catch (error) {
      this.#caller.fail(id, error)
    }
    return result
  }

  /**
   * @param {string} task
   * @param {unknown} [input]
   * @param {object} [given]
   * @returns {Promise<string>} its id, once the engine has it
   */
  async send(task, input, given) {
    const options = readOptions(given, SENT, 'send')
    this.#refuse()
    const contents = this.#contents(task, input, options, { retries: 2 })
    const [envelope] = await Promise.all([contents, this.#prepared(false)])
    const id = idOf(options.key)
    await this.#engine.add([{ envelope, options: this.#addOptions(id, options) }])
    return id
  }

  /**
   * @param {string} id
   * @param {{ timeout?: number, signal?: AbortSignal }} [options]
   * @returns {Promise<unknown>} the result of the task, while the engine keeps it
   */
  async result(id, { timeout = Infinity, signal } = {}) {
    const end = performance.now() + timeout
    for (let wait = FIRST_LOOK; ; wait = Math.min(wait * 2, LONGEST_LOOK)) {
      this.#refuse(signal)
      const [state] = await this.#engine.look([id])
      if (state === 'ended') {
        const outcome = await this.#engine.outcome(id)
        if (outcome === undefined) throw lost(id)
        const settle = await read(outcome, this.#values)
        return new Promise((resolve, reject) => settle({ resolve, reject }))
      }
      if (state === 'unknown') throw lost(id)
      if (performance.now() > end) throw require('./errors').noReply(id)
      const { done, stop } = pause(wait)
      signal?.addEventListener('abort', stop, { once: true })
      await done
      signal?.removeEventListener('abort', stop)
    }
  }

  /**
   * @param {string} id
   * @returns {Promise<boolean>} whether it waited, and so never begins; a running task is given up
   */
  cancel(id) {
    return this.#caller.giveUp(id)
  }

  /**
   * @param {Iterable<unknown> | AsyncIterable<unknown>} inputs
   * @param {string} task
   * @param {object} [given]
   * @returns {AsyncGenerator<unknown, void, undefined>}
   */
  map(inputs, task, given) {
    const options = readOptions(given, MAPPED, 'map')
    return require('./map').map(
      (/** @type {unknown[]} */ chunk, /** @type {AbortSignal} */ signal) =>
        this.#runMany(task, chunk, { ...options, signal }),
      inputs,
      options
    )
  }

  /**
   * @param {string} task
   * @param {unknown[]} inputs
   * @param {CallOptions & { chunk?: unknown, concurrency?: unknown }} given
   */
  #runMany(task, inputs, { chunk: _, concurrency: __, key: ___, ...options }) {
    const envelope = this.#contents(task, inputs, options, { retries: 2, reply: this.#caller.name, many: true })
    return this.#ask(envelope, { ...options, resultTimeout: HOUR + REPLY_GRACE })
  }

  /**
   * @param {string} name of the schedule; replaces a schedule of the same name
   * @param {import('./types').When} when
   * @param {string} task
   * @param {unknown} [input]
   * @param {object} [given]
   */
  async schedule(name, when, task, input, given) {
    const options = readOptions(given, SENT, 'schedule')
    if (typeof when?.pattern !== 'string' && !(Number(when?.every) > 0))
      throw invalidArgument("schedule: say when, as in { pattern: '0 3 * * *' } or { every: 60_000 }")
    this.#refuse()
    // The input must last as long as the schedule, so it must be in the envelope.
    const envelope = await this.#contents(task, input, options, { retries: 2 })
    if ('ref' in envelope.input) throw invalidArgument('schedule: the input must have less than 32 KB when encoded')
    await this.#engine.schedule(name, when, { envelope, options: this.#addOptions(name, options) })
  }

  /**
   * @param {string} name
   * @returns {Promise<boolean>} whether there was one
   */
  unschedule(name) {
    return this.#engine.unschedule(name)
  }

  /**
   * Runs tasks, in a thread of its own.
   * @param {WorkOptions} given
   * @returns {import('./work').Work}
   */
  work(given) {
    this.#refuse()
    const { pool, tasks, ...rest } = readOptions(given, WORK, 'work')
    if (pool === undefined || tasks === undefined)
      throw invalidArgument("work: say what runs, as in { pool: { filename: './tasks.js' }, tasks: ['resize'] }")
    const { secret, resultTtl = HOUR, connection, prefix, store, maxInputSize } = this.#options
    const work = require('./work').startWork({
      name: this.#name,
      engine: connection === undefined ? this.#engine : undefined,
      values: this.#values,
      fleet: {
        secret,
        resultTtl,
        connection,
        prefix,
        maxInputSize,
        store: moduleOf(store),
        ownStore: store !== undefined
      },
      options: { pool, tasks, ...rest }
    })
    this.#works.add(work)
    return work
  }

  async stats() {
    const counts = await this.#engine.counts()
    return { ...counts, pending: this.#caller.pending }
  }

  /** @param {{ targetWait?: number }} [options] milliseconds in which all waiting tasks shall be done */
  async metrics({ targetWait = TARGET_WAIT } = {}) {
    if (!(targetWait > 0)) throw invalidArgument(`metrics: 'targetWait' must be milliseconds, got ${show(targetWait)}`)
    return require('./metrics').textOf(this.#name, await this.stats(), [...this.#works], targetWait)
  }

  /** Ends the work of this process for the fleet, and rejects its pending calls. */
  async close() {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([...this.#works].map((work) => work.close()))
    await this.#caller.close(new PoolClosedError('The fleet was closed before the task ended'))
    await this.#engine.close()
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close()
  }

  // ---- the way of a call -------------------------------------------------------------------------

  /** @param {AbortSignal} [signal] */
  #refuse(signal) {
    if (this.#closed) throw new PoolClosedError('The fleet is closed')
    if (signal?.aborted) throw new AbortError(signal.reason)
  }

  /** Prepares the engine before a task is added. @param {boolean} [replies] */
  async #prepared(replies = true) {
    const { connection, pool, tasks } = this.#options
    if (connection === undefined && pool !== undefined && tasks !== undefined) this.#own ??= this.work({ pool, tasks })
    if (replies) await this.#caller.listen()
    await this.#room()
  }

  /** Now and then asks the engine how many tasks wait. */
  async #room() {
    const { maxQueue } = this.#options
    if (maxQueue === undefined) return
    if (this.#full || this.#added % Math.min(COUNT_EVERY, Math.max(1, maxQueue)) === 0) {
      const { waiting } = await this.#engine.counts()
      this.#full = waiting >= maxQueue
    }
    if (this.#full) throw new QueueFullError(`The queue of the fleet is full: 'maxQueue' is ${maxQueue}`)
    this.#added++
  }

  /**
   * Makes the envelope of a call. The input is encoded at once.
   * @param {string} task
   * @param {unknown} input
   * @param {CallOptions} options
   * @param {{ retries: number, reply?: string, many?: boolean, orphan?: number | undefined }} more
   * @returns {Promise<Envelope>}
   */
  async #contents(task, input, options, { retries, reply, many, orphan }) {
    if (typeof task !== 'string' || task === '')
      throw invalidArgument(
        `The task must be the name of one that the workers take, got ${show(task)}: functions and files stay on their machine`
      )
    const { deadline, ...rest } = options
    const putting = this.#values.put(input, this.#options.resultTtl ?? HOUR)
    const due = deadline === undefined ? {} : { deadline: Number(deadline) + (await this.#engine.clock()) }
    const settings = travelling({ ...rest, ...due })
    const part = await putting
    /** @type {Omit<Envelope, 'v'>} */
    const contents = { task, input: part, retries: options.retries ?? retries }
    if (Object.keys(settings).length > 0) contents.options = settings
    if (reply !== undefined) contents.reply = reply
    if (many) contents.many = true
    if (orphan !== undefined) contents.orphan = orphan
    return seal(contents, this.#options.secret)
  }

  /**
   * @param {string} id
   * @param {CallOptions} options
   * @returns {AddOptions}
   */
  #addOptions(id, { priority = 0, attempts = 1, backoff, delay }) {
    const { resultTtl = HOUR } = this.#options
    return { id, priority: priority + PRIORITY_BASE, attempts, backoff, delay, keep: resultTtl }
  }
}

/** @param {string | undefined} key */
function idOf(key) {
  return key === undefined ? randomUUID() : `key-${createHash('sha256').update(key).digest('hex').slice(0, 40)}`
}

module.exports = { Fleet }
