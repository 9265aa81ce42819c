'use strict'

// BullMQ 6 as the engine: over Redis (Valkey, Dragonfly) or PostgreSQL. It queues, locks, counts attempts and
// keeps schedules. Values never pass through its job records: the outcome of a task is put into the store before the
// job is completed. The lock of the job fences its completion. Only then is the caller told, on its own stream.

const { performance } = require('node:perf_hooks')
const { RspoolError } = require('../../errors')
const { within } = require('../../later')
const { guard } = require('../../bullmq/guard')
const { UnrecoverableError, WaitingError, DelayedError } = require('../../bullmq/special')
const { Throttle } = require('../throttle')
const { engineAway } = require('../errors')
const { GiveBack } = require('../give-back')
const { loadBull, reach } = require('./connect')

/**
 * @typedef {import('../types').Engine} Engine
 * @typedef {import('../types').AddOptions} AddOptions
 * @typedef {import('../types').Envelope} Envelope
 * @typedef {import('../types').Outcome} Outcome
 * @typedef {import('../types').CallerEvent} CallerEvent
 */

/**
 * Milliseconds after which a call to an engine that does not answer fails. If the engine refuses, the call fails at
 * once.
 */
const PATIENCE = 5000
/** The same for calls that only tidy up. */
const PATIENCE_AT_END = 1000
/**
 * How often BullMQ may deliver a job again. This code decides which start was lost, and whether the task starts again.
 */
const REDELIVERIES = 1000
/** How many events the stream of a caller keeps. */
const EVENTS = 1000
/** How many callers have open streams, which share a connection. */
const MOST_PRODUCERS = 1000
/** A caller fetches larger outcomes from the store. */
const IN_EVENT = 4096

/** @implements {Engine} */
class BullEngine {
  #name
  #connection
  #bull
  #options
  #backend
  /** @type {import('./bull').BullQueue | undefined} */
  #queue
  /** @type {Map<string, import('./bull').BullProducer>} */
  #producers = new Map()
  /** The message that is on its way to each caller. @type {Map<string, Promise<void>>} */
  #told = new Map()
  /** @type {Promise<number> | undefined} */
  #offset
  /** When this worker first saw a task that it has given back. @type {Map<string, number>} */
  #seen = new Map()
  /** @type {Promise<void> | undefined} */
  #ready
  store

  /**
   * @param {string} name
   * @param {unknown} connection
   * @param {string | undefined} prefix
   * @param {boolean} patient
   */
  constructor(name, connection, prefix = 'rspool', patient = false) {
    this.#name = name
    this.#bull = loadBull()
    this.#connection = reach(connection, patient)
    this.#options = { prefix: `{${prefix}}`, connection: this.#connection.calls }
    this.#backend = this.#connection.kind === 'postgres' ? this.#bull.createPostgresBackend : undefined
    this.store = this.#connection.store(`{${prefix}}:${name}`)
  }

  get #calls() {
    if (this.#queue === undefined) {
      const { Queue } = this.#bull
      const options = { ...this.#options, streams: { events: { maxLen: 100 } } }
      this.#queue = new Queue(this.#name, options, this.#backend)
      this.#queue.on('error', () => {})
    }
    return this.#queue
  }

  /**
   * @template T
   * @param {(queue: import('./bull').BullQueue) => Promise<T>} use
   * @returns {Promise<T>}
   */
  async #ask(use) {
    try {
      const queue = this.#calls
      this.#ready ??= ready(queue)
      await this.#ready
      return await answered(PATIENCE, use(queue))
    } catch (error) {
      // The next call connects anew.
      this.#ready = undefined
      throw error instanceof RspoolError ? error : engineAway(error)
    }
  }

  /**
   * @param {{ envelope: Envelope, options: AddOptions }[]} tasks
   * @returns {Promise<string[]>}
   */
  async add(tasks) {
    const jobs = tasks.map(({ envelope, options }) => jobOf(envelope, options))
    if (jobs.length === 1) {
      const [{ name, data, opts }] = jobs
      await this.#ask((queue) => queue.add(name, data, opts))
    } else await this.#ask((queue) => queue.addBulk(jobs))
    return tasks.map(({ options }) => options.id)
  }

  /** @param {string} id */
  remove(id) {
    // BullMQ refuses to remove a locked job. A job that has ended stays.
    return this.#ask(async (queue) => {
      const state = await queue.getJobState(id)
      if (!['waiting', 'prioritized', 'delayed', 'waiting-children'].includes(state)) return false
      return (await queue.remove(id)) === 1
    })
  }

  /** @param {string} id */
  async cancel(id) {
    await this.#ask(() => this.#producer('workers').publishEvent({ eventName: 'cancel', id }, EVENTS))
  }

  /** @param {string} caller */
  #producer(caller) {
    let producer = this.#producers.get(caller)
    if (producer === undefined) {
      const { QueueEventsProducer } = this.#bull
      producer = new QueueEventsProducer(this.#streamOf(caller), this.#options, this.#backend)
      producer.on('error', () => {})
      if (this.#producers.size >= MOST_PRODUCERS) this.#producers.delete(this.#producers.keys().next().value ?? '')
      this.#producers.set(caller, producer)
    }
    return producer
  }

  /** @param {string} caller */
  #streamOf(caller) {
    return `${this.#name}-to-${caller}`
  }

  /**
   * @param {string[]} ids
   * @returns {Promise<import('../types').TaskState[]>}
   */
  look(ids) {
    return this.#ask(async (queue) => {
      const states = await Promise.all(ids.map((id) => queue.getJobState(id)))
      return states.map((state) => {
        if (state === 'completed' || state === 'failed') return 'ended'
        if (state === 'active') return 'running'
        return state === 'unknown' ? 'unknown' : 'waiting'
      })
    })
  }

  /**
   * @param {string} id
   * @returns {Promise<Outcome | undefined>}
   */
  async outcome(id) {
    const bytes = await this.store.get(outcomeKey(id), 1 << 20)
    if (bytes !== undefined) return JSON.parse(Buffer.from(bytes).toString())
    // BullMQ itself gave the job up, so no worker has told the outcome.
    const job = await this.#ask((queue) => queue.getJob(id))
    if (job?.failedReason === undefined) return undefined
    const { describe } = require('../../payload/thrown')
    const { encode } = require('../encoding')
    const error = new RspoolError('ERR_RSPOOL_WORKER_LOST', job.failedReason)
    return { fine: false, value: { text: encode(describe(error)).text } }
  }

  /**
   * @param {import('../types').ConsumeOptions} options
   * @returns {Promise<import('../types').Consumer>}
   */
  async consume({ onTask, capacity, lockDuration }) {
    const { Worker, QueueEvents } = this.#bull
    /** @type {Map<string, AbortController>} */
    const running = new Map()
    /** @type {Map<string, Outcome>} */
    const ended = new Map()
    const options = {
      prefix: this.#options.prefix,
      connection: this.#connection.worker,
      lockDuration,
      stalledInterval: lockDuration / 2,
      maxStalledCount: REDELIVERIES,
      concurrency: capacity()
    }
    /** @type {import('./bull').Processor} */
    const processor = (job, token, signal) =>
      this.#process(job, token, /** @type {AbortSignal} */ (signal), { onTask, running, ended })
    const worker = new Worker(this.#name, processor, options, this.#backend)
    const guarded = guard(/** @type {never} */ (worker), {
      options: { maxThreads: capacity(), concurrentTasksPerWorker: 1 }
    })
    const tell = (/** @type {import('./bull').BullJob | undefined} */ job) => {
      const id = String(job?.id)
      const outcome = ended.get(id)
      ended.delete(id)
      if (job === undefined || outcome === undefined || job.data?.reply === undefined) return
      const small = JSON.stringify(outcome).length <= IN_EVENT
      this.#tell(job.data.reply, small ? { kind: 'ended', id, outcome } : { kind: 'ended', id })
    }
    worker.on('completed', tell)
    // A job that is tried again has not ended.
    worker.on('failed', (job) => (job?.finishedOn === undefined ? ended.delete(String(job?.id)) : tell(job)))
    // An idle worker asks the engine as seldom as possible.
    const eventOptions = { prefix: this.#options.prefix, connection: this.#connection.worker, blockingTimeout: 10_000 }
    const control = new QueueEvents(this.#streamOf('workers'), eventOptions, this.#backend)
    control.on('error', () => {})
    control.on('cancel', (/** @type {{ id?: string }} */ { id }) =>
      running.get(String(id))?.abort('the caller has given it up')
    )
    await worker.waitUntilReady()
    return {
      stats: guarded.stats,
      close: async ({ grace }) => {
        await guarded.close({ grace })
        await control.close()
      }
    }
  }

  /**
   * @param {import('./bull').BullJob} job
   * @param {string | undefined} token
   * @param {AbortSignal} signal
   * @param {{ onTask: import('../types').OnTask, running: Map<string, AbortController>, ended: Map<string, Outcome> }} parts
   */
  async #process(job, token, signal, { onTask, running, ended }) {
    const id = String(job.id)
    const given = new AbortController()
    running.set(id, given)
    const progress = new Throttle((value) => {
      if (job.data?.reply !== undefined) this.#tell(job.data.reply, { kind: 'progress', id, value })
    })
    try {
      const outcome = await onTask({
        id,
        envelope: job.data,
        lost: job.stalledCounter ?? 0,
        // Measured on the clock of this machine, since the clock of the machine that added the task may differ.
        age: performance.now() - this.#firstSeen(id),
        signal: AbortSignal.any([signal, given.signal]),
        progress: progress.report
      })
      progress.flush()
      const attemptsLeft = (job.attemptsMade ?? 0) + 1 < (job.opts.attempts ?? 1)
      if (!outcome.fine && !outcome.hopeless && attemptsLeft) throw new Error(outcome.text)
      await this.store.put(outcomeKey(id), Buffer.from(JSON.stringify(outcome)), keptFor(job))
      ended.set(id, outcome)
      if (!outcome.fine) throw new UnrecoverableError(new Error(outcome.text))
      this.#seen.delete(id)
    } catch (error) {
      if (!(error instanceof GiveBack)) {
        this.#seen.delete(id)
        throw error
      }
      if (error.delay === 0) {
        await job.moveToWait(token)
        throw new WaitingError('The worker ended before the task did')
      }
      await job.moveToDelayed(Date.now() + error.delay, token)
      throw new DelayedError('Another worker is to have the task')
    } finally {
      running.delete(id)
    }
  }

  /** @param {string} id */
  #firstSeen(id) {
    const seen = this.#seen.get(id) ?? performance.now()
    this.#seen.set(id, seen)
    return seen
  }

  /**
   * @param {string} caller
   * @param {CallerEvent} event
   */
  #tell(caller, event) {
    if (!/^[\da-f-]{36}$/.test(caller)) return
    const text = JSON.stringify(event)
    // Events are sent one after another, so progress comes before the end. A caller that misses an event looks the
    // task up itself.
    const told = (this.#told.get(caller) ?? Promise.resolve())
      .then(() => this.#producer(caller).publishEvent({ eventName: 'fleet', text }, EVENTS))
      .catch(() => {})
    this.#told.set(caller, told)
    told.then(() => {
      if (this.#told.get(caller) === told) this.#told.delete(caller)
    })
  }

  /**
   * @param {string} caller
   * @param {(event: CallerEvent) => void} listener
   */
  async replies(caller, listener) {
    const { QueueEvents } = this.#bull
    // Reads from the beginning, since the first event may come before the first read.
    const options = {
      prefix: this.#options.prefix,
      connection: this.#connection.worker,
      lastEventId: '0',
      blockingTimeout: 2000
    }
    const events = new QueueEvents(this.#streamOf(caller), options, this.#backend)
    events.on('error', () => {})
    events.on('fleet', (/** @type {{ text?: string }} */ { text }) => {
      try {
        listener(JSON.parse(String(text)))
      } catch {
        // Not an event of this package.
      }
    })
    try {
      await ready(events)
    } catch (error) {
      events.close().catch(() => {})
      throw engineAway(error)
    }
    return async () => {
      await events.close()
      const { prefix } = this.#options
      await this.#connection.forget(`${prefix}:${this.#streamOf(caller)}:events`).catch(() => {})
    }
  }

  /** The engine is asked for its time once: the offset is for clocks that were stepped, and that happens seldom. */
  async clock() {
    this.#offset ??= this.#ask(async () => {
      const before = Date.now()
      const now = await this.#connection.now()
      return now - (before + Date.now()) / 2
    }).catch((error) => {
      this.#offset = undefined
      throw error
    })
    return this.#offset
  }

  counts() {
    return this.#ask(async (queue) => {
      const {
        waiting = 0,
        prioritized = 0,
        delayed = 0,
        active = 0
      } = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active')
      const [first] = await queue.getJobs(['prioritized', 'waiting'], 0, 0, true)
      return {
        waiting: waiting + prioritized,
        delayed,
        running: active,
        oldest: first === undefined ? 0 : Math.max(0, Date.now() - first.timestamp)
      }
    })
  }

  /**
   * @param {string} name
   * @param {import('../types').When} when
   * @param {{ envelope: Envelope, options: AddOptions }} task
   */
  async schedule(name, when, { envelope, options }) {
    const { name: task, data, opts } = jobOf(envelope, options)
    const { jobId: _, delay: __, ...template } = opts
    await this.#ask((queue) => queue.upsertJobScheduler(name, when, { name: task, data, opts: template }))
  }

  /** @param {string} name */
  unschedule(name) {
    return this.#ask((queue) => queue.removeJobScheduler(name))
  }

  async close() {
    const all = [...this.#producers.values(), ...(this.#queue === undefined ? [] : [this.#queue])]
    await Promise.all(all.map((each) => answered(PATIENCE_AT_END, each.close()).catch(() => {})))
    await this.#connection.close()
  }
}

/** Milliseconds for which the outcome of a job is kept. @param {import('./bull').BullJob} job */
function keptFor({ opts: { removeOnComplete: kept } }) {
  return 1000 * (typeof kept === 'object' ? (kept.age ?? 3600) : 3600)
}

/** @param {string} id */
function outcomeKey(id) {
  return `outcome-${id}`
}

/**
 * @param {Envelope} envelope
 * @param {AddOptions} options
 */
function jobOf(envelope, { id, priority, delay, attempts, backoff, keep }) {
  const kept = { age: Math.ceil(keep / 1000) }
  return {
    name: envelope.task,
    data: envelope,
    opts: {
      jobId: id,
      priority,
      attempts,
      removeOnComplete: kept,
      removeOnFail: kept,
      // The store has the whole error.
      stackTraceLimit: 1,
      ...(delay === undefined ? {} : { delay }),
      ...(backoff === undefined ? {} : { backoff })
    }
  }
}

/**
 * Resolves when `connecting` is connected. Rejects if the server refuses or does not answer.
 * @param {import('node:events').EventEmitter & { waitUntilReady: () => Promise<unknown> }} connecting
 */
async function ready(connecting) {
  /** @type {(error: Error) => void} */
  let refused = () => {}
  const refusal = new Promise((_, reject) => connecting.once('error', (refused = reject)))
  try {
    await answered(PATIENCE, Promise.race([connecting.waitUntilReady(), refusal]))
  } finally {
    connecting.off('error', refused)
    refusal.catch(() => {})
  }
}

/**
 * @template T
 * @param {number} ms
 * @param {Promise<T>} promise
 */
function answered(ms, promise) {
  return within(ms, promise, () => new Error(`it did not answer in ${ms} ms`))
}

module.exports = { BullEngine }
