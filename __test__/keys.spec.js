'use strict'

// What happens once, and limits. One at a time: a program has one cluster.
const { serial: test } = require('ava')
const { cluster } = require('..')
const { startPrimary, kill } = require('./cluster/harness')

const limits = { api: { points: 10, per: 60_000, burst: 3 }, other: { points: 10, per: 60_000, burst: 3 } }

async function start(t, options) {
  const supervisor = cluster.run((context) => context.ready(), {
    processes: 0,
    signals: false,
    exit: false,
    log: false,
    limits,
    ...options
  })
  t.teardown(() => supervisor.stop())
  await supervisor.ready
  return { supervisor, context: cluster.current }
}

test('whoever asks first is told so, until the time is over', async (t) => {
  const { once } = (await start(t)).context
  t.deepEqual([once('a'), once('a'), once('b'), once('a')], [true, false, true, false])
  t.true(once('soon over', { ttl: 1 }))
  while (!once('soon over', { ttl: 60_000 })) await new Promise(setImmediate)
  t.false(once('soon over', { ttl: 60_000 }))
})

test('so many points are given at once, and it is said when there are more', async (t) => {
  const { supervisor, context } = await start(t)
  const { api, other } = context.limits
  t.deepEqual(api.take('a'), { ok: true, remaining: 2, retryAfterMs: 0 })
  t.deepEqual(supervisor.limits.api.take('a', 2), { ok: true, remaining: 0, retryAfterMs: 0 })
  const { ok, remaining, retryAfterMs } = api.take('a')
  t.deepEqual([ok, remaining], [false, 0])
  // A point is earned in six seconds.
  t.true(retryAfterMs > 0 && retryAfterMs <= 6000)
  t.true(api.take('b').ok)
  t.is(other.take('a', 0).remaining, 3)
  other.take('a', 2)
  t.like(other.take('a', 2), { ok: false, remaining: 1 })
  t.like(other.take('a', 1), { ok: true, remaining: 0 })
})

test('without a burst a whole period may be taken at once', async (t) => {
  const { api } = (await start(t, { limits: { api: { points: 5, per: 60_000 } } })).context.limits
  t.like(api.take('a', 5), { ok: true, remaining: 0 })
  t.false(api.take('a').ok)
})

test('of more keys than there is room for the quietest are forgotten by limits, and refused by once', async (t) => {
  const { once, limits } = (await start(t, { onceKeys: 100, limitKeys: 100 })).context
  for (let n = 0; n < 3; n++) limits.api.take('busy')
  for (let n = 0; n < 10_000; n++) t.true(limits.api.take(`quiet ${n}`).ok)
  t.false(limits.api.take('busy').ok)
  const error = t.throws(() => {
    for (let n = 0; ; n++) once(`key ${n}`)
  })
  t.is(error.code, 'ERR_RSPOOL_MAP_FULL')
})

test('what cannot be right is refused', async (t) => {
  const { supervisor, context } = await start(t)
  const { once, limits } = context
  const refused = { code: 'ERR_RSPOOL_INVALID_ARGUMENT' }
  for (const key of ['', 7, undefined, 'x'.repeat(251), 'ä'.repeat(126)]) {
    t.throws(() => once(key), refused)
    t.throws(() => limits.api.take(key), refused)
  }
  t.true(once('ä'.repeat(125)))
  for (const options of [{ ttl: 0 }, { ttl: '1' }, { tll: 1 }, null]) t.throws(() => once('a', options), refused)
  for (const n of [4, -1, 0.5, '1']) t.throws(() => limits.api.take('a', n), refused)
  await supervisor.stop()
  const run = (options) => cluster.run(() => {}, { processes: 0, ...options })
  for (const given of [
    { limits: [] },
    { limits: { a: { points: 1 } } },
    { limits: { a: { per: 1 } } },
    { limits: { a: { points: 0, per: 1 } } },
    { limits: { a: { points: 1, per: Infinity } } },
    { limits: { a: { points: 1, per: 1, brust: 1 } } },
    { onceKeys: -1 },
    { limitKeys: 0.5 }
  ])
    t.throws(() => run(given), refused)
})

test('after the end of the cluster nothing is given', async (t) => {
  const { supervisor, context } = await start(t)
  await supervisor.stop()
  t.throws(() => context.once('a'), { code: 'ERR_RSPOOL_CLUSTER_STOPPED' })
})

test('of all processes one is told that it is the first, whichever of them are killed', async (t) => {
  const { primary } = await startPrimary(t, {
    app: 'locks-app.js',
    options: { processes: 3, backoff: { initial: 1, max: 1 }, crashLoop: { restarts: 1e6 } }
  })
  const ask = (slot, from, count) => primary.call('request', slot, { command: 'once', from, count })
  const firsts = await Promise.all([0, 1, 2].map((slot) => ask(slot, 0, 5000)))
  t.deepEqual(
    firsts.flat().sort((a, b) => a - b),
    Array.from({ length: 5000 }, (_, n) => n)
  )
  // The killed one cannot say what it was told, but nobody is told it twice.
  const dying = ask(0, 5000, 5000).catch(() => [])
  const others = [1, 2].map((slot) => ask(slot, 5000, 5000))
  kill((await primary.call('processes'))[0].pid, 'SIGKILL')
  const told = [...(await dying), ...(await Promise.all(others)).flat()]
  t.is(new Set(told).size, told.length)
  t.deepEqual(await ask(1, 0, 10_000), [])
})

test('one limit holds over all processes', async (t) => {
  const { primary } = await startPrimary(t, {
    app: 'locks-app.js',
    options: { processes: 3, limits: { api: { points: 100, per: 3_600_000, burst: 70 } } }
  })
  const given = await Promise.all(
    [0, 1, 2].map((slot) => primary.call('request', slot, { command: 'take', count: 100 }))
  )
  // A point is earned in 36 seconds.
  const sum = given.reduce((all, points) => all + points, 0)
  t.true(sum >= 70 && sum <= 71, `${given}`)
})
