'use strict'

/** A worker gives a task back unstarted or unended: another is to have it. No attempt is counted. */
class GiveBack extends Error {
  /** @param {number} delay milliseconds before it is given out again */
  constructor(delay) {
    super('The task is given back')
    this.delay = delay
  }
}

module.exports = { GiveBack }
