'use strict'

// How a command ends, after sysexits.h where that has a number.

const EXIT = {
  ok: 0,
  /** It did not work. */
  failed: 1,
  /** Wrong arguments, or several clusters and none was named. */
  usage: 64,
  /** There is no cluster, or no such process. */
  none: 69,
  /** The system does not permit it. */
  denied: 77
}

/** A failure whose message is all that its reader needs. */
class CommandError extends Error {
  /** @param {number} exitCode @param {string} message */
  constructor(exitCode, message) {
    super(message)
    this.exitCode = exitCode
  }
}

module.exports = { CommandError, EXIT }
