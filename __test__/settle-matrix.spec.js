'use strict'

// Each way in which a task can fail, in each state of the pool: every promise settles, with the code
// of the contract, and the pool works on.

const test = require('ava')
const { failure, fixture, outcomes, rspool, tally, taskPool } = require('./helpers')

/** The function that makes the call, and the code (or name, where there is none) it ends with. */
const ways = {
  'a script throws': [(pool) => pool.runTask('throws'), 'E_RANGE'],
  'a script rejects': [(pool) => pool.runTask('rejects'), 'E_RANGE'],
  'a script exits': [(pool) => pool.runTask('exits', 1), 'ERR_RSPOOL_WORKER_EXIT'],
  'a script exits later': [(pool) => pool.runTask('exitsLater', 0), 'ERR_RSPOOL_WORKER_EXIT'],
  'a script throws in the background': [(pool) => pool.runTask('uncaught'), 'TypeError'],
  'a script rejects in the background': [(pool) => pool.runTask('unhandled'), 'TypeError'],
  'a result cannot be cloned': [(pool) => pool.runTask('uncloneable'), 25],
  'an input cannot be cloned': [(pool) => pool.run(() => {}), 25],
  'an inline function throws': [
    (pool) =>
      pool.runTask(() => {
        throw new TypeError('inline')
      }),
    'TypeError'
  ],
  'an inline function is no JavaScript': [(pool) => pool.runTask(Math.max, [1, 2]), 'ERR_RSPOOL_INVALID_ARGUMENT'],
  'an export is not there': [(pool) => pool.runTask('missing'), 'ERR_RSPOOL_UNKNOWN_TASK'],
  'a script is not there': [(pool) => pool.run(1, { filename: '/no/such.js' }), 'ERR_RSPOOL_WORKER_START'],
  'a task never ends': [(pool) => pool.runTask('never', null, { timeout: 5 }), 'ERR_RSPOOL_TASK_TIMEOUT'],
  'a task loops': [(pool) => pool.runTask('loop', null, { timeout: 5 }), 'ERR_RSPOOL_TASK_TIMEOUT'],
  'a task is aborted in its turn': [
    (pool) => {
      const controller = new AbortController()
      const promise = pool.runTask('never', null, { signal: controller.signal })
      controller.abort()
      return promise
    },
    'ABORT_ERR'
  ],
  'a task is aborted later': [(pool) => pool.runTask('never', null, { signal: AbortSignal.timeout(5) }), 'ABORT_ERR'],
  'a task was aborted before': [(pool) => pool.run(1, { signal: AbortSignal.abort() }), 'ABORT_ERR'],
  'an option is wrong': [(pool) => pool.run(1, { timeout: 'soon' }), 'ERR_RSPOOL_INVALID_ARGUMENT'],
  'a native task is not there': [(pool) => pool.runTask('no.such'), 'ERR_RSPOOL_UNKNOWN_TASK'],
  'a native input is wrong': [(pool) => pool.runTask('hash.sha256', 5), 'ERR_RSPOOL_INVALID_ARGUMENT'],
  'a native input is damaged': [
    (pool) => pool.runTask('decompress.gzip', Buffer.from('x')),
    'ERR_RSPOOL_CORRUPT_INPUT'
  ],
  'native params are wrong': [
    (pool) => pool.runTask('hash.sha256', '', { params: { encoding: 'rot13' } }),
    'ERR_RSPOOL_INVALID_ARGUMENT'
  ],
  'a native task runs too long': [
    (pool) => pool.runTask('math.countPrimes', 2 ** 53 - 1, { timeout: 5 }),
    'ERR_RSPOOL_TASK_TIMEOUT'
  ],
  'a native task is aborted': [
    (pool) => pool.runTask('math.countPrimes', 2 ** 53 - 1, { signal: AbortSignal.timeout(5) }),
    'ABORT_ERR'
  ]
}

const options = { abortGrace: 0, timeout: 30_000 }
const code = (error) => error?.code ?? error?.name

async function worksOn(t, pool) {
  t.is(await pool.run('works on'), 'works on')
  t.is(await pool.runTask('hash.crc32', ''), 0)
}

for (const [what, [call, expected]] of Object.entries(ways)) {
  test(`${what}: on a cold, a warm and a busy pool`, async (t) => {
    const { pool } = taskPool(t, { maxThreads: 1, ...options })
    t.is(code(await failure(call(pool))), expected, 'cold')
    await worksOn(t, pool)
    t.is(code(await failure(call(pool))), expected, 'warm')
    await worksOn(t, pool)
    // Behind and before others: they never notice.
    const before = Array.from({ length: 5 }, (_, n) => pool.run(n))
    const failing = failure(call(pool))
    const after = Array.from({ length: 5 }, (_, n) => pool.runTask('square', n))
    t.is(code(await failing), expected, 'busy')
    t.deepEqual(await Promise.all(before), [0, 1, 2, 3, 4])
    t.deepEqual(await Promise.all(after), [0, 1, 4, 9, 16])
  })

  test(`${what}: while its pool is closed or destroyed`, async (t) => {
    for (const end of ['close', 'destroy']) {
      for (const warm of [false, true]) {
        const { pool } = taskPool(t, { maxThreads: 1, ...options })
        if (warm) await pool.run(1)
        const codes = outcomes([call(pool), pool.run(1), call(pool)])
        await pool[end]()
        const allowed = end === 'close' ? [expected] : [expected, 'ERR_RSPOOL_POOL_CLOSED']
        const [first, second, third] = await codes
        t.true(allowed.includes(first), `${end}: ${first}`)
        t.true(['ok', ...allowed.slice(1)].includes(second), `${end}: ${second}`)
        t.true(allowed.includes(third), `${end}: ${third}`)
      }
    }
  })
}

test('all ways at once, on one pool, settle each with its own code', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 3, ...options })
  const all = Object.entries(ways)
  const rounds = 4
  const promises = Array.from({ length: rounds }, () => all.map(([, [call]]) => failure(call(pool)))).flat()
  const fine = Array.from({ length: 200 }, (_, n) => pool.run(n))
  const codes = (await Promise.all(promises)).map(code)
  t.deepEqual(codes, Array.from({ length: rounds }, () => all.map(([, [, expected]]) => expected)).flat())
  t.deepEqual(
    await Promise.all(fine),
    Array.from({ length: 200 }, (_, n) => n)
  )
})

test('of 10,000 tasks one kills its worker: the others all give their own result', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2 })
  const promises = Array.from({ length: 10_000 }, (_, n) => (n === 5000 ? pool.runTask('exits', 9) : pool.run(n)))
  const settled = await Promise.allSettled(promises)
  settled.forEach(({ value, reason }, n) => {
    if (n === 5000) t.is(reason?.code, 'ERR_RSPOOL_WORKER_EXIT')
    else if (value !== n) t.is(value, n, reason?.stack)
  })
})

test('50,000 mixed tasks each get their own result or error', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2, concurrentTasksPerWorker: 2 })
  const twice = (a, b) => a * 2 + b
  let wrong = 0
  const check = async (n) => {
    switch (n % 8) {
      case 0:
        return (await pool.run(n)) === n
      case 1:
        return (await pool.runTask('asyncSquare', n)) === n * n
      case 2:
        return (await pool.runTask('hash.xxh3', `${n}`, { params: { encoding: 'hex' } })).length === 16
      case 3: {
        const { id, list } = await pool.run({ id: n, list: [n, `${n}`] })
        return id === n && list[0] === n && list[1] === `${n}`
      }
      case 4:
        return (await pool.runTask(twice, [n, 1])) === 2 * n + 1
      case 5:
        return (await failure(pool.run(n, { name: 'throws' }))).code === 'E_RANGE'
      case 6:
        return (await pool.run(`text ${n}`.padEnd(n % 3000, '.'))).startsWith(`text ${n}`)
      default:
        return (await pool.runTask('math.fibonacci', 10 + (n % 5))) === [55, 89, 144, 233, 377][n % 5]
    }
  }
  for (let base = 0; base < 50_000; base += 5000) {
    const checks = await Promise.all(Array.from({ length: 5000 }, (_, i) => check(base + i)))
    wrong += checks.filter((right) => !right).length
  }
  t.is(wrong, 0)
  t.is(pool.stats().queued, 0)
})

test('an abort in any moment settles every task once', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 2, abortGrace: 0 })
  for (let round = 0; round < 30; round++) {
    const controller = new AbortController()
    const { signal } = controller
    const promises = Array.from({ length: 60 }, (_, n) =>
      n % 3 === 0
        ? pool.runTask('asyncSquare', n, { signal })
        : n % 3 === 1
          ? pool.runTask('hash.crc32', 'x', { signal })
          : pool.run(/port/, { signal })
    )
    const codes = outcomes(promises)
    for (let i = 0; i < round % 7; i++) await new Promise(setImmediate)
    controller.abort()
    const counts = tally(await codes)
    t.is((counts.ok ?? 0) + (counts.ABORT_ERR ?? 0), 60, JSON.stringify(counts))
  }
  await worksOn(t, pool)
})

test('a pool is destroyed in any moment, and every task settles once', async (t) => {
  for (let round = 0; round < 30; round++) {
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 2, concurrentTasksPerWorker: 2 })
    if (round % 2) await pool.run(1)
    const codes = outcomes(
      Array.from({ length: 60 }, (_, n) =>
        n % 3 === 0 ? pool.runTask('asyncSquare', n) : n % 3 === 1 ? pool.runTask('hash.crc32', 'x') : pool.run(/port/)
      )
    )
    for (let i = 0; i < round % 5; i++) await new Promise(setImmediate)
    await pool.destroy()
    const counts = tally(await codes)
    t.is((counts.ok ?? 0) + (counts.ERR_RSPOOL_POOL_CLOSED ?? 0), 60, JSON.stringify(counts))
  }
})
