'use strict'

// The fleet without a server, which is the reference for every engine.

const test = require('ava')
const { Fleet } = require('../fleet')
const { conform } = require('./fleet/conformance')

conform(test, async (options) => new Fleet('memory', options))

test('a fleet without a connection that knows its pool needs no worker', async (t) => {
  const fleet = new Fleet('local', { pool: { filename: require.resolve('./fleet/tasks') }, tasks: ['add'] })
  t.is(await fleet.runTask('add', { a: 1, b: 2 }), 3)
  await fleet.close()
})

test('a fleet refuses a pool where it needs the options of one', async (t) => {
  const { Pool } = require('..')
  const fleet = new Fleet('options')
  const pool = new Pool()
  t.throws(() => fleet.work({ pool, tasks: ['a'] }), {
    code: 'ERR_RSPOOL_INVALID_ARGUMENT',
    message: /options of a pool/
  })
  await pool.close()
  await fleet.close()
})

test('the package loads nothing of the fleet', (t) => {
  const { execFileSync } = require('node:child_process')
  const script =
    "require('.'); console.log(Object.keys(require.cache).filter((file) => /lib.(fleet|bullmq)/.test(file)).length)"
  t.is(execFileSync(process.execPath, ['-e', script], { cwd: `${__dirname}/..`, encoding: 'utf8' }).trim(), '0')
})
