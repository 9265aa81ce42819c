'use strict'

// How many tasks this isolate runs at once, and how many of them have left their places.

const { bound } = require('../native/environment')
const { context } = require('./context')

const turns = {
  /** Tasks that may run here at once, not counting those that have left their places. */
  concurrency: 1,
  /** Tasks that have begun and not ended. */
  running: 0,
  /** Running tasks that have left their places. */
  waiting: 0,
  /** Takes tasks, as far as there is room for them. Set by the loop. */
  take: () => {}
}

/** Whether all places are taken. */
function areTaken() {
  return turns.running - turns.waiting >= turns.concurrency
}

/**
 * A task leaves its place to its nested tasks, or takes it again.
 * @param {{ slot: number, generation: number }} task
 * @param {boolean} waits
 */
function setWaits(task, waits) {
  if (!context.runs(task)) return
  turns.waiting += waits ? 1 : -1
  context.grow(turns.concurrency + turns.waiting, (flags) => bound.setWaits(task.slot, waits, flags))
  if (!areTaken()) turns.take()
}

module.exports = { turns, areTaken, setWaits }
