'use strict'

// Messages by topic between all processes of a cluster and its primary, through the ring of the region: see
// src/memory/ring. No publisher waits for a reader, and no reader polls.

const { RspoolError, invalidArgument } = require('../errors')
const { readOptions, show, typed } = require('../pool/options/validate')

/** The topic on which the primary publishes the pid of each process that has ended. */
const EXITS = 'rspool exit'
/** The topic on which a process that begins to drain publishes its pid. It will soon stop relaying. */
const DRAINS = 'rspool drain'
/** The most bytes of the name of a topic. */
const LONGEST_TOPIC = 250
/** The longest time, in milliseconds, that incoming messages may hold the event loop. */
const TURN = 10
/** The clock is read after so many messages. */
const LOOK_AFTER = 16

/**
 * @typedef {{ slot: number|undefined, generation: number, pid: number }} Sender
 * @typedef {(message: unknown, sender: Sender) => unknown} Listener
 * @typedef {{ listener: Listener, onMissed?: (count: number) => unknown }} Subscription
 */

class Topics {
  #region
  #place
  /** @type {Map<string, Set<Subscription>>} */
  #subscriptions = new Map()
  #hears = false
  #closed = false

  /**
   * @param {import('./region').SharedRegion} region
   * @param {{ seat?: number, slot?: number, generation: number }} place changes when a spare is given a slot
   */
  constructor(region, place) {
    this.#region = region
    this.#place = place
  }

  /** The part that users get. */
  api() {
    return { publish: this.publish.bind(this), subscribe: this.subscribe.bind(this) }
  }

  /**
   * @param {string} topic
   * @param {unknown} message
   */
  publish(topic, message) {
    checkTopic(topic, 'publish')
    this.#assertOpen('publish')
    const { PUBLISHED } = require('../native/wire')
    const { encodeMessage } = require('../payload/message')
    const { native } = this.#region
    const { seat, slot, generation } = this.#place
    const sender = { pid: process.pid, slot, generation }
    const { tag, bytes } = encodeMessage(message)
    // No code of the user runs here, since it could encode another message.
    switch (native.publish(seat, topic, tag, bytes, sender)) {
      case PUBLISHED.DONE:
        return
      case PUBLISHED.TOO_LONG:
        throw invalidArgument(
          `publish: the message has ${bytes.length} bytes, and with its topic it may have ${native.longestMessage}: a quarter of 'publishBytes'`
        )
      case PUBLISHED.BUSY:
        throw new RspoolError(
          'ERR_RSPOOL_PUBLISH_BUSY',
          'publish: a process that was stopped while it was publishing is in the way'
        )
      case PUBLISHED.NONE:
        throw new RspoolError(
          'ERR_RSPOOL_UNSUPPORTED',
          "publish: the cluster has no room for messages; set 'publishBytes'"
        )
      default:
        throw new RspoolError('ERR_RSPOOL_REGION', 'publish: the shared region of this cluster is damaged')
    }
  }

  /**
   * @param {string} topic
   * @param {Listener} listener
   * @param {unknown} [options]
   * @returns {() => void}
   */
  subscribe(topic, listener, options) {
    checkTopic(topic, 'subscribe')
    if (typeof listener !== 'function') throw invalidArgument(`subscribe: expected a function, got ${show(listener)}`)
    const { onMissed } = readOptions(options, { onMissed: typed('function') }, 'subscribe options')
    this.#assertOpen('subscribe')
    this.#hear()
    const { bound } = require('../native/environment')
    const subscription = { listener, onMissed }
    const all = this.#subscriptions.get(topic) ?? new Set()
    if (all.size === 0) {
      this.#subscriptions.set(topic, all)
      bound.want(topic, true)
    }
    all.add(subscription)
    return () => {
      if (!all.delete(subscription) || all.size > 0 || this.#subscriptions.get(topic) !== all) return
      this.#subscriptions.delete(topic)
      if (!this.#closed) bound.want(topic, false)
    }
  }

  /**
   * Tells the other processes about a process, if possible. It only saves them some waiting.
   * @param {typeof EXITS | typeof DRAINS} topic
   * @param {number} pid
   */
  tell(topic, pid) {
    if (this.#closed || !this.exist) return
    try {
      this.publish(topic, { pid })
    } catch {
      // Then the others wait as long as for a process that hangs.
    }
  }

  /** Whether the cluster has room for messages. */
  get exist() {
    return this.#region.native.longestMessage > 0
  }

  /** Receives no more messages. */
  close() {
    if (this.#closed) return
    this.#closed = true
    this.#subscriptions.clear()
    if (!this.#hears) return
    const { bound, setMessageRing } = require('../native/environment')
    setMessageRing(() => {})
    bound.hear(-1)
  }

  #hear() {
    if (this.#hears) return
    const { native } = this.#region
    if (!this.exist) {
      throw new RspoolError(
        'ERR_RSPOOL_UNSUPPORTED',
        "subscribe: the cluster has no room for messages; set 'publishBytes'"
      )
    }
    const { bound, setMessageRing } = require('../native/environment')
    bound.hear(native.fd)
    setMessageRing(() => this.#read())
    this.#hears = true
  }

  /** Takes in messages, for one turn of the event loop. */
  #read() {
    const { bound, later } = require('../native/environment')
    const end = performance.now() + TURN
    for (let count = 1; !this.#closed; count++) {
      const next = bound.nextMessage()
      if (next === undefined) return
      if (typeof next === 'number') this.#missed(next)
      else this.#deliver(next)
      if (count % LOOK_AFTER === 0 && performance.now() > end) return later(() => this.#read())
    }
  }

  #missed(/** @type {number} */ count) {
    for (const all of this.#subscriptions.values()) {
      for (const { onMissed } of all) if (onMissed !== undefined) guarded(() => onMissed(count))
    }
  }

  #deliver(
    /** @type {[string, number, ArrayBuffer, number, number, number]} */ [topic, tag, memory, pid, slot, generation]
  ) {
    const all = this.#subscriptions.get(topic)
    if (all === undefined) return
    const { decodeMessage } = require('../payload/message')
    const sender = { slot: slot < 0 ? undefined : slot, generation, pid }
    // Each listener gets its own copy of the value.
    let left = all.size
    for (const { listener } of all) {
      const own = --left > 0 ? memory.slice(0) : memory
      guarded(() => listener(decodeMessage(tag, own), sender))
    }
  }

  #assertOpen(/** @type {string} */ what) {
    if (this.#closed) throw new RspoolError('ERR_RSPOOL_CLUSTER_STOPPED', `${what}: the cluster has stopped`)
  }
}

/**
 * Calls a listener. An error that it throws is uncaught, and keeps no message from other listeners.
 * @param {() => unknown} call
 */
function guarded(call) {
  try {
    call()
  } catch (error) {
    require('../native/environment').uncaught(error)
  }
}

/** @param {unknown} topic @param {string} what */
function checkTopic(topic, what) {
  if (typeof topic === 'string' && topic !== '' && Buffer.byteLength(topic) <= LONGEST_TOPIC) return
  throw invalidArgument(`${what}: the topic must be a string of 1 to ${LONGEST_TOPIC} bytes, got ${show(topic)}`)
}

module.exports = { Topics, EXITS, DRAINS }
