'use strict'

// The exit codes of commands, as in sysexits.h if it has a number for the case.

const EXIT = {
  ok: 0,
  /** The command failed. */
  failed: 1,
  /** Wrong arguments, or there are several clusters and none was named. */
  usage: 64,
  /** There is no cluster, or no such process. */
  none: 69,
  /** The system does not permit it. */
  denied: 77
}

/** A failure of which only the message is shown. */
class CommandError extends Error {
  /** @param {number} exitCode @param {string} message */
  constructor(exitCode, message) {
    super(message)
    this.exitCode = exitCode
  }
}

module.exports = { CommandError, EXIT }
