'use strict'

// `pool.channel`: a task and a port to it. Both ends are closed when the task has ended, so they keep nothing alive
// after that.

const { MessageChannel } = require('node:worker_threads')
const { NOTICE } = require('../../native/wire')
const { invalidArgument } = require('../../errors')
const { isHooked } = require('../observe/watch')
const { channelOptions } = require('../options')
const { isMoved, unwrap } = require('../../payload/move')
const { NATIVE, variantOf } = require('../task/targets')
const { Task } = require('../task/task')

/** A call whose caller has a port to it. */
class ChannelTask extends Task {
  #port

  /**
   * @param {import('../task/task').Home} home
   * @param {(value: unknown) => void} resolve
   * @param {(error: unknown) => void} reject
   * @param {import('node:worker_threads').MessagePort} port
   */
  constructor(home, resolve, reject, port) {
    super(home, resolve, reject)
    this.#port = port
  }

  /**
   * @param {number} notice
   * @param {number} about
   * @param {unknown} value
   */
  settle(notice, about, value) {
    try {
      return super.settle(notice, about, value)
    } finally {
      // If the function has ended, the worker has closed its end, and messages that it sent before still arrive.
      if (notice !== NOTICE.RETURNED && notice !== NOTICE.THREW && notice !== NOTICE.WORKER_GONE) this.#port.close()
    }
  }

  /** @param {() => Error} make */
  giveUp(make) {
    try {
      super.giveUp(make)
    } finally {
      this.#port.close()
    }
  }
}

/**
 * @param {import('./map').Caller} caller
 * @param {unknown} task
 * @param {unknown} input
 * @param {unknown} given options
 */
function channel(caller, task, input, given) {
  const { submitter } = caller
  const options = channelOptions(given)
  const called = caller.target(task)
  if (called.lane === NATIVE) throw invalidArgument('A native task has no port: it cannot have a channel')
  const { port1: port, port2: other } = new MessageChannel()
  const { value, transferList } = isMoved(input) ? unwrap(input) : { value: input, transferList: [] }
  const use = caller.settings(options)
  use.transferList = [...(options.transferList ?? []), ...transferList, other]
  // A port can be sent only once.
  use.retries = 0
  const { promise: result, resolve, reject } = withResolvers()
  const call = new ChannelTask(submitter.home, resolve, reject, port)
  try {
    submitter.submitAs(call, variantOf(called, 'channel'), [other, value], use, isHooked(result))
  } catch (error) {
    port.close()
    return { port, result: Promise.reject(error) }
  }
  return { port, result }
}

function withResolvers() {
  /** @type {{ resolve: (value: unknown) => void, reject: (error: unknown) => void }} */
  let settles
  const promise = new Promise((resolve, reject) => {
    settles = { resolve, reject }
  })
  // @ts-expect-error the executor has run
  return { promise, ...settles }
}

module.exports = { channel }
