'use strict'

// `pool.map` and `pool.settled`: many inputs through one task, a window of them at a time. Inputs that
// take little time travel several at once, as many as make a chunk of about a millisecond.

const { abortOf, listen } = require('../task/abort')
const { ChunkSizes } = require('./chunk-sizes')
const { AbortError, PoolClosedError, invalidArgument } = require('../../errors')
const { Feed } = require('./feed')
const { mapOptions } = require('../options')
const { revive } = require('../../payload/thrown')
const { later, soon } = require('../../native/environment')
const { Source, isIterable } = require('./source')
const { NATIVE, variantOf } = require('../task/targets')
const { show } = require('../options/validate')

/** The part of a pool that a call needs. @typedef {InstanceType<typeof import('../parts').Parts>} Caller */

/**
 * The receiver of the outcomes.
 * @typedef {object} Sink
 * @property {(entry: Entry) => void} chunk
 * @property {() => void} end
 * @property {(error: unknown) => void} fail
 */

/** @typedef {ReturnType<typeof mapOptions>} Options */
/**
 * The result of a chunk: the milliseconds that it took, values, and failures by index.
 * @typedef {import('../../worker/batch').Outcome} Outcome
 */

/** Inputs that are on their way as one task; later their outcomes. */
class Entry {
  // A property that somebody adds to Object.prototype must not appear as a field.
  static {
    Object.setPrototypeOf(this.prototype, null)
  }

  /** @param {unknown[]} inputs */
  constructor(inputs) {
    this.inputs = inputs
    this.done = false
    /** @type {unknown[]} */
    this.values = []
    /** By index. @type {Map<number, unknown> | undefined} */
    this.failures = undefined
  }
}

class Mapping {
  #caller
  #inputs
  #target
  #batched
  #options
  #settings
  #sink
  #controller = new AbortController()
  /** @type {InstanceType<typeof Source> | undefined} */
  #source
  #pulling = false
  /** @type {{ error: unknown } | undefined} */
  #sourceFailure
  #exhausted = false
  #ended = false
  /** Entries that are in flight or not taken. */
  #outstanding = 0
  /** The entries of an ordered mapping. @type {Entry[]} */
  #entries = []
  /** The inputs of the next chunk so far. @type {unknown[]} */
  #gathered = []
  /** Whether the gathered inputs will be sent after a turn of the loop, whatever the source does. */
  #flushes = false
  /** @type {(() => void) | undefined} */
  #unlisten
  #total
  #pulled = 0
  #completed = 0
  #failed = 0
  #sizes

  /**
   * @param {Caller} caller
   * @param {unknown} inputs
   * @param {unknown} task
   * @param {Options} options
   * @param {Sink} sink
   */
  constructor(caller, inputs, task, options, sink) {
    if (!isIterable(inputs))
      throw invalidArgument(`The inputs must be an iterable or an async iterable, got ${show(inputs)}`)
    this.#caller = caller
    this.#inputs = inputs
    this.#target = caller.target(task)
    this.#settings = caller.settings({ ...options, onProgress: undefined, signal: this.#controller.signal })
    this.#sink = sink
    this.#total = countOf(inputs)
    const native = this.#target.lane === NATIVE
    // A time limit is for one input.
    const single = native || this.#settings.timeout >= 0
    const chunk = options.chunk === 'auto' && single ? 1 : options.chunk
    if (native && chunk !== 1)
      throw invalidArgument(`Map options: 'chunk' of a native task must be 1 or 'auto', got ${chunk}`)
    const { capacity } = caller
    const concurrency = options.concurrency ?? capacity + Math.min(capacity, caller.options.maxQueue)
    this.#options = { ...options, chunk, concurrency }
    this.#sizes = new ChunkSizes(Math.min(capacity, concurrency))
    this.#batched = chunk === 1 ? undefined : variantOf(this.#target, 'batch')
  }

  start() {
    const { signal } = this.#options
    const abort = abortOf(signal)
    if (abort !== undefined) return this.fail(new AbortError(abort.reason))
    if (signal !== undefined) this.#unlisten = listen(signal, (reason) => this.fail(new AbortError(reason)))
    try {
      this.#source = new Source(this.#inputs)
    } catch (error) {
      return this.fail(error)
    }
    this.#pump()
  }

  /** One more entry has been taken. */
  release() {
    this.#outstanding--
    this.#pump()
  }

  /**
   * Ends at once: gives up what is in flight, and closes the source.
   * @returns {Promise<void> | undefined} settles when the source has closed
   */
  stop() {
    if (this.#ended) return
    this.#ended = true
    this.#unlisten?.()
    this.#controller.abort()
    return this.#source?.close()
  }

  /** @param {unknown} error */
  fail(error) {
    if (this.#ended) return
    this.stop()?.catch(() => {})
    this.#sink.fail(error)
  }

  // ---- pulling ---------------------------------------------------------------------------------

  #pump() {
    if (this.#pulling) return
    const source = /** @type {InstanceType<typeof Source>} */ (this.#source)
    let goal = this.#goal()
    while (!this.#ended) {
      if (this.#gathered.length > 0 && (this.#exhausted || this.#gathered.length >= goal)) {
        if (this.#outstanding >= this.#options.concurrency) return
        this.#send()
        goal = this.#goal()
      } else if (this.#exhausted) {
        if (this.#outstanding === 0) this.#end()
        return
      } else if (this.#outstanding >= this.#options.concurrency) return
      else if (source.isAsync) return this.#pullLater(source)
      else {
        this.#pulling = true
        try {
          this.#pulledOne(source.step())
        } catch (error) {
          this.#sourceFailed(error)
        }
        this.#pulling = false
      }
    }
  }

  /** @param {import('./source').Source} source whose iterator is asynchronous */
  #pullLater(source) {
    this.#pulling = true
    // The gathered inputs do not wait for a slow source.
    if (this.#gathered.length > 0 && !this.#flushes) {
      this.#flushes = true
      later(() => this.#flush())
    }
    source.pull(
      (step) => {
        this.#pulling = false
        this.#pulledOne(step)
        this.#pump()
      },
      (error) => {
        this.#pulling = false
        this.#sourceFailed(error)
        this.#pump()
      }
    )
  }

  #flush() {
    this.#flushes = false
    if (!this.#ended && this.#gathered.length > 0 && this.#outstanding < this.#options.concurrency) this.#send()
  }

  /** @param {IteratorResult<unknown>} step */
  #pulledOne(step) {
    if (step.done) this.#exhausted = true
    else if (!this.#exhausted) {
      this.#pulled++
      this.#gathered.push(step.value)
    }
  }

  /** @param {unknown} error */
  #sourceFailed(error) {
    this.#exhausted = true
    this.#sourceFailure = { error }
  }

  /** How many inputs the next chunk is to have. */
  #goal() {
    const { chunk } = this.#options
    return chunk === 'auto' ? this.#sizes.next((this.#total ?? Infinity) - this.#pulled) : chunk
  }

  // ---- on the way ------------------------------------------------------------------------------

  #send() {
    const inputs = this.#gathered
    this.#gathered = []
    const entry = new Entry(inputs)
    this.#outstanding++
    if (this.#options.ordered) this.#entries.push(entry)
    let promise
    try {
      promise =
        this.#batched === undefined
          ? this.#caller.submit(this.#target, inputs[0], this.#settings)
          : this.#caller.submit(this.#batched, inputs, this.#settings)
    } catch (error) {
      this.#notSent(entry, error)
      return
    }
    promise.then(
      (/** @type {unknown} */ result) => this.#arrived(entry, result),
      (/** @type {unknown} */ error) => this.#lost(entry, error)
    )
  }

  /**
   * @param {Entry} entry
   * @param {unknown} error
   */
  #notSent(entry, error) {
    const { inputs } = entry
    if (inputs.length === 1 || error instanceof PoolClosedError) {
      // Not at once: a caller may be in the middle of pulling.
      soon(() => this.#lost(entry, error))
      return
    }
    // One input cannot be cloned. That must not fail the others.
    this.#oneByOne(entry).then(() => this.#finished(entry))
  }

  /** @param {Entry} entry */
  async #oneByOne(entry) {
    for (const input of entry.inputs) {
      const i = entry.values.length
      entry.values.push(undefined)
      try {
        entry.values[i] = await this.#caller.submit(this.#target, input, this.#settings)
      } catch (error) {
        if (this.#ended) return
        entry.failures ??= new Map()
        entry.failures.set(i, error)
      }
    }
  }

  /**
   * @param {Entry} entry
   * @param {unknown} result
   */
  #arrived(entry, result) {
    if (this.#batched === undefined) entry.values.push(result)
    else {
      const [ms, values, failures] = /** @type {Outcome} */ (result)
      this.#sizes.measured(ms, values.length)
      entry.values = values
      if (failures.length > 0) {
        entry.failures = new Map(failures.map(([i, description]) => [i, revive(description)]))
      }
    }
    this.#finished(entry)
  }

  /**
   * The whole task failed, and with it each of its inputs.
   * @param {Entry} entry
   * @param {unknown} error
   */
  #lost(entry, error) {
    if (error instanceof PoolClosedError) return this.fail(error)
    entry.values = new Array(entry.inputs.length).fill(undefined)
    entry.failures = new Map(entry.values.map((_, i) => [i, error]))
    this.#finished(entry)
  }

  /** @param {Entry} entry */
  #finished(entry) {
    if (this.#ended) return
    entry.done = true
    entry.inputs = []
    const failed = entry.failures?.size ?? 0
    this.#failed += failed
    this.#completed += entry.values.length - failed
    try {
      this.#options.onProgress?.({ completed: this.#completed, failed: this.#failed, total: this.#total })
    } catch (error) {
      return this.fail(error)
    }
    if (failed > 0 && this.#options.stopOnError) {
      // Earlier calls may still end; no new call begins.
      this.#exhausted = true
      this.#gathered = []
      this.#source?.close().catch(() => {})
    }
    if (!this.#options.ordered) return this.#sink.chunk(entry)
    while (!this.#ended && this.#entries[0]?.done) this.#sink.chunk(/** @type {Entry} */ (this.#entries.shift()))
  }

  #end() {
    this.#ended = true
    this.#unlisten?.()
    if (this.#sourceFailure !== undefined) this.#sink.fail(this.#sourceFailure.error)
    else this.#sink.end()
  }
}

/**
 * How many inputs there are, if the iterable tells.
 * @param {object | string} inputs
 */
function countOf(inputs) {
  const { length, size } = /** @type {{ length?: unknown, size?: unknown }} */ (inputs)
  const count = Array.isArray(inputs) || ArrayBuffer.isView(inputs) ? length : size
  return typeof count === 'number' ? count : undefined
}

/**
 * @param {Caller} caller
 * @param {unknown} inputs
 * @param {unknown} task
 * @param {unknown} given options
 * @returns {InstanceType<typeof Feed>}
 */
function map(caller, inputs, task, given) {
  const options = mapOptions(given)
  /** @type {unknown[]} */
  const errors = []
  const feed = new Feed({
    start: () => mapping.start(),
    taken: () => mapping.release(),
    cancel: () => mapping.stop()
  })
  const mapping = new Mapping(caller, inputs, task, options, {
    chunk({ values, failures }) {
      if (failures === undefined) return feed.push(values)
      if (options.stopOnError) {
        const [first, error] = [...failures].sort(([a], [b]) => a - b)[0]
        mapping.stop()?.catch(() => {})
        if (first > 0) feed.push(values.slice(0, first))
        feed.end({ error })
        return
      }
      errors.push(...failures.values())
      const kept = values.filter((_, i) => !failures.has(i))
      if (kept.length > 0) feed.push(kept)
      else mapping.release()
    },
    end: () =>
      feed.end(
        errors.length === 0 ? undefined : { error: new AggregateError(errors, `${errors.length} of the inputs failed`) }
      ),
    fail: (error) => feed.drop({ error })
  })
  return feed
}

/**
 * @param {Caller} caller
 * @param {unknown} inputs
 * @param {unknown} task
 * @param {unknown} given options
 * @returns {Promise<PromiseSettledResult<unknown>[]>}
 */
function settled(caller, inputs, task, given) {
  return new Promise((resolve, reject) => {
    const options = mapOptions(given)
    options.stopOnError = false
    options.ordered = true
    /** @type {PromiseSettledResult<unknown>[]} */
    const results = []
    const mapping = new Mapping(caller, inputs, task, options, {
      chunk({ values, failures }) {
        for (let i = 0; i < values.length; i++) {
          results.push(
            failures?.has(i)
              ? { status: 'rejected', reason: failures.get(i) }
              : { status: 'fulfilled', value: values[i] }
          )
        }
        mapping.release()
      },
      end: () => resolve(results),
      fail: reject
    })
    mapping.start()
  })
}

module.exports = { map, settled }
