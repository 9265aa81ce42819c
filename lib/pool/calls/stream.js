'use strict'

// `pool.stream`: the items that a generator in a worker yields, or the chunks that a native task emits. It is a task
// like any other. Its items come while it runs, never more than the owner has room for: those of a generator through
// the port of its isolate, those of a native task as notices.

const { abortOf, listen } = require('../task/abort')
const { bound, hold, release } = require('../../native/environment')
const { nameOf } = require('../task/native-targets')
const { AbortError, invalidArgument } = require('../../errors')
const { Feed } = require('./feed')
const { streamOptions } = require('../options')
const { PORT_MESSAGE } = require('../../payload/port')
const { describe } = require('../../payload/thrown')
const { Supply } = require('./supply')
const { NATIVE, variantOf } = require('../task/targets')

/** @typedef {import('../task/settings').Reply} Reply */

/** For a supply that its owner stops itself. */
const never = () => false

class Stream {
  #caller
  #target
  #input
  #options
  #fed
  #settings
  #native
  #controller = new AbortController()
  /** Sends to the worker; known from the worker's first message on. @type {Reply | undefined} */
  #reply
  /** Items that were taken, and of which the worker was not told yet. */
  #owed = 0
  /** @type {InstanceType<typeof Supply> | undefined} */
  #supply
  /** @type {(() => void) | undefined} */
  #unlisten
  /** Whether the task is in flight and no item is awaited. An idle stream does not keep the process alive. */
  #idle = false
  #running = false
  feed

  /**
   * @param {import('./map').Caller} caller
   * @param {unknown} task
   * @param {unknown} input
   * @param {unknown} given options
   */
  constructor(caller, task, input, given) {
    const target = caller.target(task)
    this.#native = target.lane === NATIVE
    this.#options = streamOptions(given, this.#native)
    this.#fed = isFlow(input)
    if (this.#native) refuseUnlessStream(target, this.#fed)
    this.#caller = caller
    this.#target = this.#native ? target : variantOf(target, 'stream')
    this.#input = input
    const { highWaterMark, ...options } = this.#options
    this.#settings = caller.settings({ ...options, signal: this.#controller.signal })
    this.#settings.asStream(highWaterMark, (message, reply) => this.#received(message, reply))
    this.feed = new Feed({
      start: () => this.#start(),
      taken: (count) => this.#taken(count),
      cancel: () => this.#cancel(),
      waits: (waits) => this.#rest(!waits)
    })
  }

  #start() {
    const { signal, highWaterMark } = this.#options
    const abort = abortOf(signal)
    if (abort !== undefined) return this.feed.drop({ error: new AbortError(abort.reason) })
    if (signal !== undefined) this.#unlisten = listen(signal, (reason) => this.#aborted(reason))
    const given = this.#native ? this.#input : [highWaterMark, this.#fed, this.#fed ? undefined : this.#input]
    try {
      this.#running = true
      this.#caller.submit(this.#target, given, this.#settings).then(
        () => this.#ended(),
        (/** @type {unknown} */ error) => this.#ended({ error })
      )
    } catch (error) {
      this.#ended({ error })
    }
  }

  /** @param {{ error: unknown }} [failure] */
  #ended(failure) {
    this.#unlisten?.()
    this.#rest(false)
    this.#running = false
    this.#supply?.stop().catch(() => {})
    this.feed.end(failure)
  }

  /**
   * Lets the process end, or keeps it alive again. A stream that is left open, and of which no item is awaited, does
   * not keep the process alive.
   * @param {boolean} idle
   */
  #rest(idle) {
    if (!this.#running || idle === this.#idle) return
    this.#idle = idle
    if (idle) release()
    else hold()
  }

  /** @param {unknown} reason */
  #aborted(reason) {
    this.feed.drop({ error: new AbortError(reason) })
    this.#cancel()?.catch(() => {})
  }

  #cancel() {
    this.#unlisten?.()
    this.#controller.abort()
    return this.#supply?.stop()
  }

  /**
   * @param {import('../../payload/messages').StreamMessage} message
   * @param {Reply} reply
   */
  #received(message, reply) {
    this.#reply = reply
    if (message[0] === PORT_MESSAGE.ITEMS) this.feed.push(message[1])
    else if (message[0] === PORT_MESSAGE.TAKE) this.#asked(message[1], reply)
  }

  /**
   * @param {number} count items of the input that there is room for; negative when no more are wanted
   * @param {Reply} reply
   */
  #asked(count, reply) {
    if (count < 0) this.#supply?.stop().catch(() => {})
    else this.#supplied(reply)?.want(count)
  }

  /** @param {Reply} reply */
  #supplied(reply) {
    if (this.#supply !== undefined || this.feed.ended) return this.#supply
    try {
      this.#supply = new Supply(
        /** @type {AsyncIterable<unknown>} */ (this.#input),
        (items, list) => reply([PORT_MESSAGE.FEED, items], list),
        never
      )
    } catch (error) {
      reply([PORT_MESSAGE.FEED_END, describe(error)])
      return
    }
    this.#supply.done.then(
      () => reply([PORT_MESSAGE.FEED_END, undefined]),
      (/** @type {unknown} */ error) => reply([PORT_MESSAGE.FEED_END, describe(error)])
    )
    return this.#supply
  }

  /** @param {number} count */
  #taken(count) {
    this.#owed += count
    // A native task is told of each item, because its room is one of bytes, too.
    const step = this.#native ? 1 : this.#options.highWaterMark / 2
    if (this.feed.ended || this.#owed < step) return
    this.#reply?.([PORT_MESSAGE.CREDIT, this.#owed])
    this.#owed = 0
  }
}

/**
 * @param {InstanceType<typeof import('../task/targets').Target>} target of a native task
 * @param {boolean} fed
 */
function refuseUnlessStream({ id }, fed) {
  if (!bound.taskEmits(id))
    throw invalidArgument(`The native task '${nameOf(id)}' gives one result: it cannot be a stream`)
  if (fed) throw invalidArgument(`The native task '${nameOf(id)}' takes one input: it reads no iterable`)
}

/**
 * Whether an input is read item by item, as async iterables and iterators are. Arrays, sets and the like are values.
 * @param {unknown} input
 */
function isFlow(input) {
  if (input === null || typeof input !== 'object') return false
  const {
    [Symbol.asyncIterator]: asynchronous,
    [Symbol.iterator]: synchronous,
    next
  } = /** @type {Partial<AsyncIterable<unknown> & IterableIterator<unknown>>} */ (input)
  if (typeof asynchronous === 'function') return true
  return typeof synchronous === 'function' && typeof next === 'function'
}

/**
 * @param {import('./map').Caller} caller
 * @param {unknown} task
 * @param {unknown} input
 * @param {unknown} given options
 */
function stream(caller, task, input, given) {
  return new Stream(caller, task, input, given).feed
}

module.exports = { stream }
