'use strict'

// A program whose tests fake the globals of time, as jest, vitest, sinon and node:test do: a pool goes on all
// the same, whether the fakes were there before the package or come later, and though their clock never moves.

const test = require('ava')
const { fixture, node } = require('./helpers')

const expected = `a call: "text"
ten thousand calls at once: 10000
a mapping: 2000
a mapping of an async source: 500
a mapping whose source fails: "RangeError"
a mapping one of whose inputs fails: 25
a stream: 500
a blocking call: 7
a native call: 0
a call in a pool of its own, with the events of its worker: undefined
a task that never ends, with a time limit: "ERR_RSPOOL_TASK_TIMEOUT"
a task that waits too long: "ERR_RSPOOL_QUEUE_TIMEOUT,ERR_RSPOOL_POOL_CLOSED"
a worker that never gets ready: "ERR_RSPOOL_WORKER_START"
a script that can be loaded only later: "ERR_RSPOOL_WORKER_START"
a worker that is idle for long enough: undefined
an isolate that is given up: "ABORT_ERR"
a close that is limited: "ERR_RSPOOL_POOL_CLOSED"
a close: undefined
`.split('\n')

for (const library of ['fake-timers', 'node:test']) {
  for (const when of ['before', 'after']) {
    test(`all goes on under ${library} that fakes the globals ${when} the package is loaded`, async (t) => {
      const { stdout, stderr, code, signal } = await node([fixture('faked.js'), library, when], { timeout: 40_000 })
      t.deepEqual(stdout.split('\n'), expected, stderr)
      t.is(code ?? signal, 0)
      t.is(stderr.replaceAll(/^.*ExperimentalWarning.*\n|^\(Use `node.*\n/gm, ''), '')
    })
  }
}
