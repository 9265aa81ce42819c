'use strict'

// A plugin that keeps no rule (`crates/hostile`) harms its own callers, and nobody else beyond what a crash must.

const test = require('ava')
const { AtomicCounters, Pool, loadTasks } = require('../..')
const { buildPlugin } = require('../build-plugin')
const { collect, program } = require('../helpers')

const hostile = buildPlugin('hostile')

/** What the callers of tasks that give garbage are told. */
const GARBAGE = {
  nothing: /replied with nothing/,
  noStatus: /replied with the status 99/,
  noTag: /replied with .*77/,
  noText: /a string that is no UTF-8/,
  noMemory: /no memory for 100 bytes/,
  noItems: /no memory for 100 items/,
  noFields: /no memory for \d+ items/,
  noWords: /no memory for \d+ items/,
  tooLong: /a length of \d+/,
  notAligned: /items that are not aligned/,
  noKind: /an array of kind 99/,
  noWhole: /a Float64Array of 7 bytes/,
  noMessage: /the number 1 for a text/,
  noCode: /: why$/,
  noPanic: /no memory for 5 bytes/,
  noName: /name/,
  tooDeep: /more than 128 levels/
}

test.before(() => loadTasks(hostile))

test('what is no result is an error of its caller, which says what is wrong with it', async (t) => {
  const pool = new Pool({ maxThreads: 2 })
  for (const [name, message] of Object.entries(GARBAGE)) {
    const error = await t.throwsAsync(
      pool.runTask(`hostile.${name}`),
      { code: 'ERR_RSPOOL_TASK_FAILED', message },
      name
    )
    t.true(error.message.startsWith(`hostile.${name}: `), error.message)
  }
  await t.throwsAsync(pool.runTask('hostile.noCancel'), { code: 'ABORT_ERR' })
  await pool.close()
})

test('what makes no sense is ignored, and the result is that of the task', async (t) => {
  const pool = new Pool({ maxThreads: 2 })
  const told = []
  const input = { keys: new Uint8Array([1, 2]), name: 'x' }
  const result = await pool.runTask('hostile.asks', input, { onProgress: (value) => told.push(value) })
  t.deepEqual(result, { keys: new Uint8Array([1, 2]), name: 'x' })
  t.deepEqual(told, [NaN])
  await pool.close()
})

test('a task that emits garbage fails after its good chunks, and one that emits on after its reader has left ends', async (t) => {
  const pool = new Pool({ maxThreads: 1 })
  const { values, error } = await collect(pool.stream('hostile.emits', 3))
  t.deepEqual(values, [0, 1, 2])
  t.is(error.code, 'ERR_RSPOOL_TASK_FAILED')
  t.regex(error.message, /^hostile\.emits: the task has emitted .*77/)
  for await (const n of pool.stream('hostile.emits', Infinity)) if (n === 10) break
  t.is((await collect(pool.stream('hostile.nothing'))).error.code, 'ERR_RSPOOL_TASK_FAILED')
  t.is(await pool.runTask('hostile.emits', 3), undefined)
  await pool.close()
})

test('a task that says it has done its work after it was given up is given up', async (t) => {
  const pool = new Pool({ maxThreads: 1 })
  await t.throwsAsync(pool.runTask('hostile.spins', undefined, { timeout: 20 }), { code: 'ERR_RSPOOL_TASK_TIMEOUT' })
  t.is(await pool.runTask('math.countPrimes', 10), 4)
  await pool.close()
})

test('among them all others come to their ends', async (t) => {
  const pool = new Pool({ maxThreads: 2 })
  const names = Object.keys(GARBAGE)
  const calls = []
  for (let i = 0; i < 2000; i++) {
    calls.push(pool.runTask(`hostile.${names[i % names.length]}`).then(t.fail, (error) => error.code))
    calls.push(pool.runTask('hash.crc32', Buffer.alloc(i)))
  }
  const { crc32 } = await import('node:zlib')
  for (const [i, value] of (await Promise.all(calls)).entries()) {
    if (i % 2 === 0) t.is(value, 'ERR_RSPOOL_TASK_FAILED')
    else if (crc32) t.is(value, crc32(Buffer.alloc((i - 1) / 2)))
  }
  t.is(pool.stats().running, 0)
  await pool.close()
})

test('a task that never ends keeps its thread, and nobody from anything else', async (t) => {
  const { code, stdout, stderr } = await program(`
    ;(async () => {
      await rspool.loadTasks(${JSON.stringify(hostile)})
      const pool = new rspool.Pool({ maxThreads: 1 })
      const counters = new rspool.AtomicCounters(['rows'])
      const controller = new AbortController()
      const stays = pool.runTask('hostile.stays', undefined, { counters, signal: controller.signal })
      while (counters.get('rows') === 0) await new Promise(setImmediate)
      controller.abort()
      console.log(await stays.catch((error) => error.code))
      console.log(await new rspool.Pool({ maxThreads: 1 }).runTask('math.countPrimes', 10))
      process.exit()
    })()
  `)
  t.deepEqual([stdout, stderr, code], ['ABORT_ERR\n4\n', '', 0])
})

test('a task that aborts ends its process, and no other', async (t) => {
  const { code, signal, stdout } = await program(`
    rspool.loadTasks(${JSON.stringify(hostile)}).then(() => rspool.runTask('hostile.aborts')).finally(() => console.log('no'))
  `)
  t.not(code ?? signal, 0)
  t.is(stdout, '')
  const counters = new AtomicCounters(['done'])
  const pool = new Pool({ maxThreads: 1 })
  await pool.runTask('math.countPrimes', 10, { counters })
  t.is(counters.get('done'), 1)
  await pool.close()
})
