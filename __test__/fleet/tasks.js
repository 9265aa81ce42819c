'use strict'

// What the fleets of the tests run.

const fs = require('node:fs')
const { context, task } = require('../../lib/worker/api')

class ParseError extends SyntaxError {
  constructor() {
    super('bad line', { cause: new RangeError('inner') })
    this.name = 'ParseError'
    this.code = 'E_PARSE'
    this.line = 7
  }
}

/** Blocks its thread, and looks at nothing. */
function block(/** @type {number} */ ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

module.exports = {
  echo: (/** @type {unknown} */ value) => value,
  add: ({ a, b }) => a + b,
  fail: () => {
    throw new ParseError()
  },
  throwsMany: () => {
    throw new AggregateError([new TypeError('one'), 'two'], 'both')
  },
  bytes: (/** @type {number} */ length) => new Uint8Array(length).fill(7),
  length: (/** @type {Uint8Array} */ bytes) => bytes.byteLength,
  spin: () => {
    for (;;);
  },
  /** Blocks, and writes down when it began and that it was at work, each 20 ms. */
  hold: ({ ms, log }) => {
    const end = Date.now() + ms
    fs.appendFileSync(log, `start ${Date.now()} ${process.pid}\n`)
    while (Date.now() < end) {
      block(20)
      fs.appendFileSync(log, `work ${Date.now()} ${process.pid}\n`)
    }
    return 'held'
  },
  /** Looks at its signal. */
  polite: ({ log }) => {
    fs.appendFileSync(log, 'start\n')
    for (;;) {
      block(5)
      if (task.signal.aborted) {
        fs.appendFileSync(log, 'aborted\n')
        throw task.signal.reason
      }
    }
  },
  progress: (/** @type {number} */ count) => {
    for (let i = 1; i <= count; i++) task.progress({ i })
    return count
  },
  block: (/** @type {number} */ ms) => {
    block(ms)
    return ms
  },
  /** What the fleet says of this start. */
  start: () => context.fleet.getStore(),
  die: () => process.kill(process.pid, 'SIGKILL'),
  /** Fails so often, as a file counts. */
  flaky: ({ log, times }) => {
    fs.appendFileSync(log, 'x')
    const tries = fs.readFileSync(log).length
    if (tries <= times) throw new Error(`try ${tries}`)
    return tries
  }
}
