'use strict'

// A task whose result is a stream: the items that its function yields are sent as far as the owner has room. Its input
// may come from the owner in the same way.

const { AsyncResource } = require('node:async_hooks')
const { context } = require('./context')
const { explained } = require('./explained')
const { AbortError, invalidArgument } = require('../errors')
const { Feed } = require('../pool/calls/feed')
const { PORT_MESSAGE } = require('../payload/port')
const { revive } = require('../payload/thrown')
const { isIterable } = require('../pool/calls/source')
const { Supply } = require('../pool/calls/supply')
const { show } = require('../pool/options/validate')

/** @typedef {InstanceType<typeof import('./context').Running>} Running */

/**
 * The function, called as a stream.
 * @param {(input: unknown) => unknown} run
 */
function pouring(run) {
  context.follow()
  return (/** @type {[number, boolean, unknown]} */ [room, isFed, input]) => {
    const running = /** @type {Running} */ (context.current())
    const fed = isFed ? inputs(running, room) : undefined
    return pour(running, run(fed ?? input), room, fed)
  }
}

/**
 * The items of the owner's iterable.
 * @param {Running} running
 * @param {number} room
 */
function inputs(running, room) {
  let owed = 0
  return new Feed({
    start: () => running.send(PORT_MESSAGE.TAKE, room),
    taken(count) {
      owed += count
      if (owed < room / 2) return
      running.send(PORT_MESSAGE.TAKE, owed)
      owed = 0
    },
    cancel: () => running.send(PORT_MESSAGE.TAKE, -1)
  })
}

/**
 * @param {Running} running
 * @param {unknown} given the result of the function
 * @param {number} room
 * @param {InstanceType<typeof Feed> | undefined} fed
 */
async function pour(running, given, room, fed) {
  const iterable = await given
  if (typeof iterable !== 'object' || !isIterable(iterable)) {
    throw invalidArgument(`The function of a stream must give an iterable or an async iterable, got ${show(iterable)}`)
  }
  const supply = new Supply(
    iterable,
    (items, list) => {
      try {
        running.send(PORT_MESSAGE.ITEMS, items, list)
      } catch (error) {
        throw explained(error, items, 'items', running.target)
      }
    },
    () => running.isCancelled()
  )
  // A message pulls the generator, so the context of the task is restored.
  running.link = AsyncResource.bind((/** @type {import('../payload/messages').StreamMessage} */ message) => {
    if (message[0] === PORT_MESSAGE.CREDIT) supply.want(message[1])
    else if (message[0] === PORT_MESSAGE.FEED) fed?.push(message[1])
    else if (message[0] === PORT_MESSAGE.FEED_END)
      fed?.end(message[1] === undefined ? undefined : { error: revive(message[1]) })
  })
  running.signal.addEventListener('abort', () => {
    fed?.drop({ error: new AbortError() })
    supply.stop().catch(() => {})
  })
  supply.want(room)
  await supply.done
}

module.exports = { pouring }
