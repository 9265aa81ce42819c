'use strict'

const path = require('node:path')
const { once } = require('node:events')
const { SHARE_ENV } = require('node:worker_threads')
const test = require('ava')
const { Pool } = require('..')
const { directory, failure, makePool, stayAlive } = require('./helpers')

const SCRIPT = `const { task } = require(${JSON.stringify(require.resolve('../lib/worker/api.js'))})
  const atLoad = task.workerNumber
  module.exports = () => [task.workerNumber, process.env.RSPOOL_WORKER, atLoad]
  module.exports.exit = () => process.exit(3)
  module.exports.facts = () => ({
    workerData: require('node:worker_threads').workerData,
    env: [process.env.DATABASE, process.env.RSPOOL_WORKER],
    argv: process.argv.slice(2),
    execArgv: process.execArgv,
    heap: require('node:worker_threads').resourceLimits.maxOldGenerationSizeMb
  })
  module.exports.env = (name) => process.env[name]`

function numbered(t, options) {
  const filename = path.join(directory(t, { 'numbered.js': SCRIPT }), 'numbered.js')
  return makePool(t, { filename, minThreads: 1, maxThreads: 1, ...options })
}

test('isolates are numbered from 1, in the script, its environment, the statistics and the events', async (t) => {
  const pool = numbered(t, { minThreads: 3, maxThreads: 3 })
  const events = []
  pool.on('workerCreate', ({ number, id }) => events.push([id, number]))
  await pool.ready()
  t.is(events.length, 3)
  const seen = await pool.broadcast()
  t.deepEqual(seen.map(([number]) => number).sort(), [1, 2, 3])
  for (const [number, env, atLoad] of seen) {
    t.is(env, String(number))
    t.is(atLoad, number)
  }
  t.deepEqual(
    pool.stats().workers.map(({ id, number }) => [id, number]),
    events.sort(([a], [b]) => a - b)
  )
  await pool.runTask('hash.crc32', 'x')
  t.is(pool.stats().workers.find(({ lane }) => lane === 'native').number, null)
  t.is(require('../lib/worker/api.js').task.workerNumber, undefined)
})

test('the number of an isolate that has ended is the next one of the pool', async (t) => {
  stayAlive(t)
  const pool = numbered(t, { minThreads: 2, maxThreads: 2 })
  await pool.ready()
  for (let i = 0; i < 3; i++) {
    const exited = once(pool, 'workerExit')
    const created = once(pool, 'workerCreate')
    t.is((await failure(pool.run(undefined, { name: 'exit' }))).code, 'ERR_RSPOOL_WORKER_EXIT')
    const [{ number }] = await exited
    t.is((await created)[0].number, number)
  }
  t.deepEqual((await pool.broadcast()).map(([number]) => number).sort(), [1, 2])
})

test('an environment that is shared is left as it is', async (t) => {
  const pool = numbered(t, { env: SHARE_ENV })
  t.is((await pool.run())[1], undefined)
  t.is(process.env.RSPOOL_WORKER, undefined)
})

test('an environment that is given is copied, with the number', async (t) => {
  const env = { DATABASE: 'test' }
  const pool = numbered(t, { env })
  t.deepEqual((await pool.runTask('facts')).env, ['test', '1'])
  t.deepEqual(env, { DATABASE: 'test' })
})

test('onWorkerStart gives what differs from worker to worker', async (t) => {
  const asked = []
  const pool = numbered(t, {
    minThreads: 2,
    maxThreads: 2,
    workerData: 'of the pool',
    argv: ['of the pool'],
    onWorkerStart(number) {
      asked.push(number)
      if (number === 2) return undefined
      return {
        workerData: { database: `db-${number}` },
        env: { DATABASE: `db-${number}` },
        argv: [`--db=${number}`],
        execArgv: ['--no-warnings'],
        resourceLimits: { maxOldGenerationSizeMb: 111 }
      }
    }
  })
  await pool.ready()
  const facts = (await pool.broadcast('facts')).sort((a, b) => a.env[1] - b.env[1])
  t.deepEqual(asked, [1, 2])
  t.deepEqual(facts[0], {
    workerData: { database: 'db-1' },
    env: ['db-1', '1'],
    argv: ['--db=1'],
    execArgv: ['--no-warnings'],
    heap: 111
  })
  t.deepEqual(
    [facts[1].workerData, facts[1].argv, facts[1].env],
    ['of the pool', ['of the pool'], [process.env.DATABASE, '2']]
  )
})

test('what onWorkerStart throws, or gives and should not, is why no worker could be started', async (t) => {
  const mine = new RangeError('no database left')
  const wrong = [
    [
      () => {
        throw mine
      },
      /no database left/
    ],
    [() => ({ argvv: [] }), /What onWorkerStart gives: unknown option 'argvv'. Did you mean 'argv'\?/],
    [() => ({ env: 5 }), /'env' must be an object, got 5/],
    [() => 7, /must be an object, got 7/],
    [async () => ({}), /gave a promise/]
  ]
  for (const [onWorkerStart, message] of wrong) {
    const pool = numbered(t, { onWorkerStart })
    const error = await failure(pool.run())
    t.is(error.code, 'ERR_RSPOOL_WORKER_START')
    t.regex(error.message, message)
    if (error.cause instanceof RangeError) t.is(error.cause, mine)
    t.is((await failure(Promise.resolve().then(() => pool.runSync()))).code, 'ERR_RSPOOL_WORKER_START')
    await pool.close()
  }
  t.throws(() => new Pool({ onWorkerStart: 5 }), { message: /'onWorkerStart' must be a function, got 5/ })
})

test('a worker that could not be started takes no number, and the next one is started when it can be', async (t) => {
  stayAlive(t)
  let fails = true
  const pool = numbered(t, {
    onWorkerStart() {
      if (fails) throw new Error('not yet')
    }
  })
  await failure(pool.run())
  fails = false
  let seen
  while (seen === undefined) seen = await pool.run().catch(() => new Promise((resolve) => setImmediate(resolve)))
  t.is(seen[0], 1)
})

test('onWorkerStart may call its own pool', async (t) => {
  let inner
  const pool = numbered(t, {
    onWorkerStart() {
      inner ??= pool.runTask('hash.crc32', 'text')
    },
    minThreads: 0
  })
  t.is((await pool.run())[0], 1)
  t.is(await inner, 999008199)
})
