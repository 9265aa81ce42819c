'use strict'

/** Thrown when a worker gives a task back before its start or its end, for another worker. No attempt is counted. */
class GiveBack extends Error {
  /** @param {number} delay milliseconds before the task is delivered again */
  constructor(delay) {
    super('The task is given back')
    this.delay = delay
  }
}

module.exports = { GiveBack }
