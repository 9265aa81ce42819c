'use strict'

// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { startPrimary, request, kill } = require('./cluster/harness')

async function start(t, options, parts) {
  const maps = { cache: { bytes: '1MB' }, small: { bytes: 65_536, evict: false } }
  const { primary, port } = await startPrimary(t, {
    app: 'maps-app.js',
    ...parts,
    options: { processes: 2, maps, backoff: { initial: 1, max: 1 }, crashLoop: { restarts: 1e6 }, ...options }
  })
  const ask = (slot, command, more) => primary.call('request', slot, { command, ...more }, { timeout: 40_000 })
  const call = (slot, method, ...args) => ask(slot, 'call', { method, args })
  const pidOf = async (slot) => (await primary.call('processes'))[slot].pid
  /** Kills the process of a slot, and waits for the next one. */
  const killSlot = async (slot) => {
    const pid = await pidOf(slot)
    const from = primary.events.length
    kill(pid, 'SIGKILL')
    await primary.event('state', (state) => state.slot === slot && state.to === 'ready', from)
  }
  return { primary, port, ask, call, pidOf, killSlot }
}

test('what one process puts all others have, and the primary', async (t) => {
  const { primary, ask, call } = await start(t)
  await call(0, 'set', 'user', { name: 'one', tags: ['a', 'b'] })
  for (let again = 0; again < 4; again++) t.deepEqual(await call(1, 'get', 'user'), { name: 'one', tags: ['a', 'b'] })
  t.true(await ask(1, 'frozen', { key: 'user' }))
  t.deepEqual(await primary.call('map', 'cache', 'get', 'user'), { name: 'one', tags: ['a', 'b'] })
  await primary.call('map', 'cache', 'set', 'user', 'two')
  t.is(await call(0, 'get', 'user'), 'two')
  t.is(await call(1, 'add', 'user', 'three'), false)
  t.deepEqual(await ask(0, 'keys'), ['user'])
  await t.throwsAsync(call(0, 'set', 'user', 'x'.repeat(100_000)), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
})

test('a cache over all processes misses once for each key, and is never stale', async (t) => {
  const { primary, port } = await start(t)
  const get = async (path) => (await request(port, path)).body
  for (let n = 0; n < 400; n++) t.is(await get(`/get?key=${n % 40}`), 'computed')
  t.is(await primary.call('counter', 'requests'), 40)
  for (let n = 0; n < 100; n++) {
    await get(`/put?key=${n % 40}&value=${n}`)
    t.is(await get(`/get?key=${n % 40}`), String(n))
  }
})

test('processes count exactly', async (t) => {
  const { ask, call } = await start(t, { processes: 3 })
  await Promise.all([0, 1, 2].map((slot) => ask(slot, 'count', { key: 'hits', times: 20_000 })))
  t.is(await call(1, 'get', 'hits'), 60_000)
})

test('a process that waits hears of a change in another', async (t) => {
  const { ask, call } = await start(t)
  const waiting = ask(0, 'wait', { key: 'news' })
  await call(1, 'set', 'news', 'it is here')
  t.is(await waiting, 'it is here')
})

test('another process computes when the one that does so is killed', async (t) => {
  const { primary, ask, pidOf } = await start(t, { processes: 3 })
  await ask(0, 'hold', { key: 'report' })
  await primary.event('message', ({ computes }) => computes === 'report')
  const others = [1, 2].map((slot) => ask(slot, 'compute', { key: 'report', value: `by ${slot}` }))
  kill(await pidOf(0), 'SIGKILL')
  const values = await Promise.all(others)
  t.is(values[0], values[1])
  t.regex(values[0], /^by [12]$/)
})

test('processes that are killed at any moment leave whole values, and count what they have counted', async (t) => {
  const { primary, ask, call, killSlot, pidOf } = await start(t, { processes: 3 })
  for (let kills = 0; kills < 12; kills++) {
    const slot = kills % 2
    for (const busy of [0, 1]) {
      const pid = await pidOf(busy)
      if (primary.events.some(({ event, values }) => event === 'message' && values[0].hammers === pid)) continue
      await ask(busy, 'hammer', { seed: kills + busy })
      await primary.event('message', ({ hammers }) => hammers === pid)
    }
    await killSlot(slot)
    for (let own = 0; own < 50; own++) {
      const value = await call(2, 'get', `shared ${own}`)
      if (value !== undefined) t.regex(value, new RegExp(`^${own}:x*:${own}$`))
    }
  }
  for (const slot of [0, 1]) await killSlot(slot)
  const [begun, counted, done] = await Promise.all(['begun', 'counted', 'done'].map((key) => call(2, 'get', key)))
  t.true(begun >= counted && counted >= done && begun - done <= 14, `${begun} ${counted} ${done}`)
  t.true(done > 1000)
  // Nothing that they held is in the way, and nothing is lost.
  for (let n = 0; n < 300; n++) t.true(await call(2, 'set', `new ${n}`, n))
  await primary.call('map', 'cache', 'clear')
  const room = 65_536 / 160 - 40
  for (let n = 0; n < room; n++) t.true(await ask(2, 'call', { map: 'small', method: 'set', args: [`key ${n}`, n] }))
})

test('a reload keeps what is in the maps', async (t) => {
  const { primary, call } = await start(t)
  await call(0, 'set', 'kept', [1, 2, 3])
  await primary.call('reload')
  t.deepEqual(await call(1, 'get', 'kept'), [1, 2, 3])
  t.true(await call(0, 'set', 'more', 1))
})

test('with no processes main has the maps in this one', async (t) => {
  const { primary, call } = await start(t, { processes: 0 })
  t.true(await call(0, 'set', 'key', { a: 1 }))
  t.deepEqual(await primary.call('map', 'cache', 'get', 'key'), { a: 1 })
})

test('a map is no memory of the processes', async (t) => {
  const maps = { cache: { bytes: '256MB', maxValueBytes: 2 ** 24 } }
  const { primary, ask } = await start(t, { processes: 1, maps, memoryLimit: 200e6 })
  await ask(0, 'fill')
  const reading = async () => (await primary.call('status')).processes[0]
  // It is read once a second; three readings above the limit are reported.
  const seen = new Set()
  while (seen.size < 5) {
    const { cpuMs, rss } = await reading()
    if (rss > 250e6) seen.add(cpuMs)
    await ask(0, 'count', { key: 'hits', times: 1000 })
  }
  t.false(primary.events.some(({ event }) => event === 'memory'))
})
