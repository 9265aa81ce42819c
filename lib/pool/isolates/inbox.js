'use strict'

// What isolates send through their ports: each kind of message, and its receiver.

const { isBlocked, notify, settle } = require('../../native/drain')
const { uncaught } = require('../../native/environment')
const { told } = require('../observe/readings')
const { PORT_MESSAGE } = require('../../payload/port')

/** @typedef {InstanceType<typeof import('./isolate').Isolate>} Isolate */
/** @typedef {InstanceType<typeof import('../task/task').Task>} Task */
/** @typedef {import('node:worker_threads').Transferable} Transferable */
/** @typedef {import('../../payload/messages').FromIsolate} FromIsolate */
/**
 * @template K
 * @typedef {import('../../payload/messages').Of<FromIsolate, K>} Of
 */

/** Loaded at its first use. */
const nested = () => require('./nested')

class Inbox {
  #owner

  /** @param {import('.').Owner} owner */
  constructor(owner) {
    this.#owner = owner
  }

  /**
   * Takes in the messages that have come already, before the loop delivers them.
   * @param {Isolate} isolate
   */
  flush(isolate) {
    for (let next; (next = isolate.next()) !== undefined; ) this.take(isolate, next.message)
  }

  /**
   * Takes in messages until the value that an isolate has sent for a task is there.
   * @param {Isolate} isolate
   * @param {import('../task/task').Receiver} task
   */
  lookFor(isolate, task) {
    for (let next; task.arrived === undefined && (next = isolate.next()) !== undefined; )
      this.take(isolate, next.message)
  }

  /**
   * Ends the tasks whose values will not come any more.
   * @param {Isolate} isolate that has ended
   */
  giveUp(isolate) {
    for (const task of isolate.owed) this.#end(isolate, task)
  }

  /**
   * Settles a task that had ended without its value.
   * @param {Isolate} isolate
   * @param {Task} task
   */
  #end(isolate, task) {
    const { late } = task
    isolate.owed.delete(task)
    task.late = undefined
    if (late !== undefined) settle(task.ticket, late.notice, late.about, late.worker)
  }

  /**
   * An error in one message harms no other message.
   * @param {Isolate} isolate
   * @param {FromIsolate} message
   */
  take(isolate, message) {
    const handler = /** @type {((isolate: Isolate, message: FromIsolate) => void) | undefined} */ (
      this.#handlers[message[0]]
    )
    try {
      handler?.(isolate, message)
    } catch (error) {
      uncaught(error)
    }
  }

  /**
   * The handlers by the kind of message. None takes its message apart as an iterable: a program may have replaced array
   * iteration, and a message that a worker waits for must get through.
   * @type {{ [K in FromIsolate[0]]: (isolate: Isolate, message: Of<K>) => void }}
   */
  #handlers = {
    [PORT_MESSAGE.HEAP]: (isolate, message) => told(isolate, message[1], message[2]),
    [PORT_MESSAGE.HOLD]: (isolate) => {
      isolate.holds = true
      if (isBlocked()) isolate.handOver()
    },
    [PORT_MESSAGE.FLUSHED]: ({ port }) => port.unref(),
    // If the task was given up, its result is dropped, since its ticket is used again.
    [PORT_MESSAGE.RESULT]: (isolate, message) => {
      const task = this.#taskOf(message)
      if (task === undefined) return
      task.arrived = { value: message[3] }
      if (task.late !== undefined) this.#end(isolate, task)
    },
    [PORT_MESSAGE.PROGRESS]: (_, message) => {
      const onProgress = this.#taskOf(message)?.onProgress
      if (onProgress !== undefined) notify(() => onProgress(message[3]))
    },
    [PORT_MESSAGE.ITEMS]: (isolate, message) => this.#link(isolate, message, [message[0], message[3]]),
    // This runs code of the user's iterable.
    [PORT_MESSAGE.TAKE]: (isolate, message) => notify(() => this.#link(isolate, message, [message[0], message[3]])),
    [PORT_MESSAGE.FATAL]: (isolate, message) => {
      isolate.fatal = message[1]
    },
    [PORT_MESSAGE.EXIT]: (isolate, message) => {
      isolate.exitCode = message[1]
    },
    [PORT_MESSAGE.NESTED]: (isolate, message) => nested().submit(this.#owner, this.#taskOf(message), isolate, message),
    [PORT_MESSAGE.NESTED_ABORT]: (isolate, message) => nested().abort(isolate, message),
    [PORT_MESSAGE.NOT_FOUND]: (_, message) => this.#owner.notFound(message[1])
  }

  /**
   * The call in flight that a message is for.
   * @param {Readonly<[kind: number, ticket: number, generation: number, ...unknown[]]>} message
   * @returns {Task | undefined}
   */
  #taskOf(message) {
    return this.#owner.taskOf(message[1], message[2])
  }

  /**
   * @param {Isolate} isolate
   * @param {Of<typeof PORT_MESSAGE.ITEMS | typeof PORT_MESSAGE.TAKE>} message
   * @param {import('../../payload/messages').StreamMessage} told
   */
  #link({ port }, message, told) {
    const generation = message[2]
    const slot = message[4]
    /** @type {import('../task/settings').Reply} */
    const reply = (answer, list) => port.postMessage([answer[0], slot, generation, answer[1]], list)
    this.#taskOf(message)?.link?.(told, reply)
  }
}

module.exports = { Inbox }
