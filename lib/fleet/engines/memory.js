'use strict'

// The engine without a server: tasks wait in this process. A fleet without a connection uses it. It is the reference
// for the other engines: the same envelopes, the same errors, and no value passed by reference.

const { performance } = require('node:perf_hooks')
const { invalidArgument } = require('../../errors')
const { later } = require('../../later')
const { GIVE_BACK } = require('../../bullmq/special')
const { GiveBack } = require('../give-back')

/**
 * @typedef {import('../types').Engine} Engine
 * @typedef {import('../types').AddOptions} AddOptions
 * @typedef {import('../types').Envelope} Envelope
 * @typedef {import('../types').Outcome} Outcome
 * @typedef {import('../types').CallerEvent} CallerEvent
 * @typedef {import('../types').Store} Store
 */

/**
 * @typedef {object} Entry
 * @property {string} text the envelope
 * @property {AddOptions} options
 * @property {number} since
 * @property {number} order
 * @property {number} attempts that have failed
 * @property {'delayed' | 'waiting' | 'running' | 'ended'} state
 * @property {AbortController} controller
 * @property {Outcome} [outcome]
 */

/** @implements {Engine} */
class MemoryEngine {
  /** @type {Map<string, Entry>} */
  #entries = new Map()
  /** @type {Map<string, (event: CallerEvent) => void>} */
  #callers = new Map()
  /** @type {Set<() => void>} */
  #consumers = new Set()
  /** The functions that end each schedule. @type {Map<string, () => void>} */
  #schedules = new Map()
  #order = 0
  store = new MemoryStore()

  /**
   * @param {{ envelope: Envelope, options: AddOptions }[]} tasks
   * @returns {Promise<string[]>}
   */
  async add(tasks) {
    for (const { envelope, options } of tasks) {
      if (this.#entries.has(options.id)) continue
      /** @type {Entry} */
      const entry = {
        text: JSON.stringify(envelope),
        options,
        since: performance.now(),
        order: ++this.#order,
        attempts: 0,
        state: 'waiting',
        controller: new AbortController()
      }
      this.#entries.set(options.id, entry)
      if (options.delay) this.#delay(entry, options.delay)
    }
    this.#offer()
    return tasks.map(({ options }) => options.id)
  }

  /**
   * @param {Entry} entry
   * @param {number} ms
   */
  #delay(entry, ms) {
    entry.state = 'delayed'
    const due = () => {
      if (entry.state !== 'delayed') return
      entry.state = 'waiting'
      this.#offer()
    }
    later(ms, due, { ref: false })
  }

  /** @param {string} id */
  async remove(id) {
    const state = this.#entries.get(id)?.state
    return (state === 'waiting' || state === 'delayed') && this.#entries.delete(id)
  }

  /** @param {string} id */
  async cancel(id) {
    this.#entries.get(id)?.controller.abort('the caller has given it up')
  }

  /**
   * @param {string[]} ids
   * @returns {Promise<import('../types').TaskState[]>}
   */
  async look(ids) {
    return ids.map((id) => {
      const state = this.#entries.get(id)?.state
      return state === 'delayed' ? 'waiting' : (state ?? 'unknown')
    })
  }

  /** @param {string} id */
  async outcome(id) {
    return this.#entries.get(id)?.outcome
  }

  /** The next task: the oldest of the best priority. */
  #next() {
    let best
    for (const entry of this.#entries.values()) {
      if (entry.state !== 'waiting') continue
      const better = best === undefined || entry.options.priority < best.options.priority
      if (better || (entry.options.priority === best?.options.priority && entry.order < best.order)) best = entry
    }
    return best
  }

  #offer() {
    for (const look of this.#consumers) look()
  }

  /**
   * @param {import('../types').ConsumeOptions} options
   * @returns {Promise<import('../types').Consumer>}
   */
  async consume({ onTask, capacity }) {
    /** @type {Set<Entry>} */
    const running = new Set()
    let open = true
    /** @type {() => void} */
    let emptied = () => {}
    const look = () => {
      while (open && running.size < capacity()) {
        const entry = this.#next()
        if (entry === undefined) return
        running.add(entry)
        entry.state = 'running'
        this.#run(entry, onTask).finally(() => {
          running.delete(entry)
          if (running.size === 0) emptied()
          look()
        })
      }
    }
    this.#consumers.add(look)
    look()
    return {
      stats: () => ({ running: running.size, leasesOver: 0, locksLost: 0, errors: 0 }),
      close: async ({ grace }) => {
        open = false
        this.#consumers.delete(look)
        if (running.size === 0) return
        const end = new Promise((resolve) => {
          emptied = () => resolve(undefined)
        })
        const cancel = later(grace, () => {
          for (const { controller } of running) controller.abort(GIVE_BACK)
        })
        await end
        cancel()
      }
    }
  }

  /**
   * @param {Entry} entry
   * @param {import('../types').OnTask} onTask
   */
  async #run(entry, onTask) {
    const { id } = entry.options
    const envelope = JSON.parse(entry.text)
    try {
      const outcome = await onTask({
        id,
        envelope,
        lost: 0,
        age: performance.now() - entry.since,
        signal: entry.controller.signal,
        progress: (value) =>
          this.#tell(envelope.reply, { kind: 'progress', id, value: { text: JSON.stringify(value) } })
      })
      this.#ended(entry, envelope, outcome)
    } catch (error) {
      if (!(error instanceof GiveBack)) throw error
      entry.controller = new AbortController()
      entry.state = 'waiting'
      if (error.delay > 0) this.#delay(entry, error.delay)
      else this.#offer()
    }
  }

  /**
   * @param {Entry} entry
   * @param {Envelope} envelope
   * @param {Outcome} outcome
   */
  #ended(entry, envelope, outcome) {
    const { id, attempts, backoff = 0, keep } = entry.options
    if (!outcome.fine && !outcome.hopeless && ++entry.attempts < attempts) {
      this.#delay(entry, backoff)
      return
    }
    entry.state = 'ended'
    entry.outcome = outcome
    later(keep, () => this.#entries.delete(id), { ref: false })
    this.#tell(envelope.reply, { kind: 'ended', id, outcome })
  }

  /**
   * @param {string | undefined} caller
   * @param {CallerEvent} event
   */
  #tell(caller, event) {
    if (caller !== undefined) this.#callers.get(caller)?.(event)
  }

  /**
   * @param {string} caller
   * @param {(event: CallerEvent) => void} listener
   */
  async replies(caller, listener) {
    this.#callers.set(caller, listener)
    return async () => void this.#callers.delete(caller)
  }

  async clock() {
    return 0
  }

  async counts() {
    const counts = { waiting: 0, delayed: 0, running: 0, oldest: 0 }
    const now = performance.now()
    for (const { state, since } of this.#entries.values()) {
      if (state === 'ended') continue
      counts[state]++
      if (state === 'waiting') counts.oldest = Math.max(counts.oldest, now - since)
    }
    return counts
  }

  /**
   * @param {string} name
   * @param {import('../types').When} when
   * @param {{ envelope: Envelope, options: AddOptions }} task
   */
  async schedule(name, { every, pattern }, { envelope, options }) {
    if (every === undefined)
      throw invalidArgument(
        `Without a connection a fleet has no calendar for '${pattern}': use { every: milliseconds }`
      )
    this.#schedules.get(name)?.()
    const due = () => void this.add([{ envelope, options: { ...options, id: `${options.id}-${++this.#order}` } }])
    const again = () => {
      const next = () => {
        again()
        due()
      }
      this.#schedules.set(name, later(every, next, { ref: false }))
    }
    again()
  }

  /** @param {string} name */
  async unschedule(name) {
    this.#schedules.get(name)?.()
    return this.#schedules.delete(name)
  }

  async close() {
    for (const stop of this.#schedules.values()) stop()
    this.#schedules.clear()
    this.#entries.clear()
  }
}

/** @implements {Store} */
class MemoryStore {
  /** @type {Map<string, Uint8Array>} */
  #values = new Map()

  /**
   * @param {string} key
   * @param {Uint8Array} bytes
   * @param {number} ttl
   */
  async put(key, bytes, ttl) {
    this.#values.set(key, bytes)
    later(ttl, () => this.#values.delete(key), { ref: false })
  }

  /** @param {string} key */
  async get(key) {
    return this.#values.get(key)
  }

  /** @param {string} key */
  async delete(key) {
    this.#values.delete(key)
  }
}

module.exports = { MemoryEngine }
