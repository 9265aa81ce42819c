'use strict'

// The part of the supervisor that exchanges messages with processes.

const { EventEmitter } = require('node:events')
const { RspoolError, invalidArgument } = require('../../errors')
const { show } = require('../../pool/options/validate')

class Post extends EventEmitter {
  #find
  #all
  /** @type {(message: unknown, info: object) => unknown} */
  #answer = () => {
    throw new RspoolError('ERR_RSPOOL_NO_HANDLER', 'the supervisor has no onRequest() function')
  }

  /**
   * @param {(id: number, what: string) => import('./slot').Slot} find throws if there is no such slot
   * @param {() => import('./slot').Slot[]} all
   */
  constructor(find, all) {
    super()
    this.#find = find
    this.#all = all
  }

  /**
   * Sends a message to the process of one slot.
   * @param {number} slot @param {unknown} message @returns {Promise<void>}
   */
  async send(slot, message) {
    return this.#mailbox(slot, 'send').send(message)
  }

  /** Sends to every process that is booting or ready, and gives how many took it. @param {unknown} message */
  async broadcast(message) {
    const sent = this.#all().flatMap(({ current }) => current?.mailbox.send(message) ?? [])
    return (await Promise.allSettled(sent)).filter(({ status }) => status === 'fulfilled').length
  }

  /**
   * Sends to the process of one slot and gives its answer.
   * @param {number} slot
   * @param {unknown} message
   * @param {{ timeout?: number }} [options]
   */
  async request(slot, message, options) {
    return this.#mailbox(slot, 'request').request(message, options)
  }

  /** Answers the requests of processes. @param {(message: unknown, info: object) => unknown} answer */
  onRequest(answer) {
    if (typeof answer !== 'function') throw invalidArgument(`onRequest: expected a function, got ${show(answer)}`)
    this.#answer = answer
  }

  /** @protected @param {unknown} message @param {object} info */
  answerRequest(message, info) {
    return this.#answer(message, info)
  }

  #mailbox(/** @type {number} */ id, /** @type {string} */ what) {
    const { current } = this.#find(id, what)
    if (current === undefined)
      throw new RspoolError('ERR_RSPOOL_PROCESS_EXIT', `${what}: slot ${id} has no process now`)
    return current.mailbox
  }
}

module.exports = { Post }
