'use strict'

// What isolates send through their ports: each kind of message, and who takes it.

const { isBlocked, notify, whenRead } = require('../../native/environment')
const { WorkerExitError } = require('../../errors')
const { told } = require('../observe/readings')
const { PORT_MESSAGE } = require('../../payload/port')

/** @typedef {InstanceType<typeof import('./isolate').Isolate>} Isolate */

/** Loaded with its first use. */
const nested = () => require('./nested')

class Inbox {
  #owner
  #ready
  #send

  /**
   * @param {import('.').Owner} owner
   * @param {(isolate: Isolate) => void} ready
   * @param {(isolate: Isolate, slot: number, generation: number, target: number, ticket: number, input: unknown, transferList: any[]) => void} send
   */
  constructor(owner, ready, send) {
    this.#owner = owner
    this.#ready = ready
    this.#send = send
  }

  /**
   * Takes in what has come already, before the loop delivers it.
   * @param {Isolate} isolate
   */
  flush(isolate) {
    for (let next; (next = isolate.next()) !== undefined; ) this.take(isolate, next.message)
  }

  /**
   * The value that an isolate has sent for a task.
   * @param {Isolate | undefined} isolate
   * @param {number} generation
   */
  result(isolate, generation) {
    if (isolate === undefined) throw new WorkerExitError('The worker ended before its result arrived', 0)
    while (!isolate.results.has(generation)) {
      const next = isolate.next()
      if (next === undefined) throw new WorkerExitError('The worker ended before its result arrived', 0)
      this.take(isolate, next.message)
    }
    const value = isolate.results.get(generation)
    isolate.results.delete(generation)
    return value
  }

  /**
   * @param {Isolate} isolate
   * @param {any[]} message
   */
  take(isolate, message) {
    switch (message[0]) {
      case PORT_MESSAGE.READY:
        return this.#ready(isolate)
      case PORT_MESSAGE.HEAP:
        return told(isolate, message[1], message[2])
      case PORT_MESSAGE.HOLD:
        isolate.holds = true
        if (isBlocked()) isolate.handOver()
        return
      case PORT_MESSAGE.FLUSHED:
        return isolate.port.unref()
      case PORT_MESSAGE.RESULT:
        // Of a task that was given up nobody takes the result, and its ticket is used again.
        if (this.#taskOf(message) !== undefined) isolate.results.set(message[2], message[3])
        return
      case PORT_MESSAGE.PROGRESS: {
        const onProgress = this.#taskOf(message)?.onProgress
        if (onProgress !== undefined) notify(() => onProgress(message[3]))
        return
      }
      case PORT_MESSAGE.ITEMS:
        return this.#link(isolate, message)
      case PORT_MESSAGE.TAKE:
        // It pulls an iterable of the user's.
        return notify(() => this.#link(isolate, message))
      case PORT_MESSAGE.FATAL:
        isolate.fatal = message[1]
        return
      case PORT_MESSAGE.EXIT:
        isolate.exitCode = message[1]
        return
      case PORT_MESSAGE.NESTED:
        return whenRead(() => nested().submit(this.#owner, this.#taskOf(message), isolate, message))
      case PORT_MESSAGE.NESTED_ABORT:
        return whenRead(() => nested().abort(isolate, message))
      case PORT_MESSAGE.NOT_FOUND:
        return this.#owner.notFound(message[1])
      case PORT_MESSAGE.WANT: {
        const [, ticket, slot, generation, target] = message
        const held = this.#owner.taskOf(ticket, generation)?.held
        if (held === undefined) isolate.port.postMessage([PORT_MESSAGE.GONE, slot, generation])
        else this.#send(isolate, slot, generation, target, ticket, held.input, held.list)
      }
    }
  }

  /** The call in flight that a message is for. @param {any[]} message */
  #taskOf([, ticket, generation]) {
    return this.#owner.taskOf(ticket, generation)
  }

  /**
   * @param {Isolate} isolate
   * @param {any[]} message
   */
  #link({ port }, message) {
    const [kind, , generation, value, slot] = message
    const reply = (/** @type {number} */ kind, /** @type {any} */ value, /** @type {any[]} */ list) =>
      port.postMessage([kind, slot, generation, value], list)
    this.#taskOf(message)?.link?.(kind, value, reply)
  }
}

module.exports = { Inbox }
