'use strict'

// What crashes in a loop: how often it is started, and how a reload gets it out of that.

// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { startPrimary: start, request, until } = require('./cluster/harness')

const states = (primary, slot) =>
  primary.events
    .filter(({ event, values }) => event === 'state' && values[0].slot === slot)
    .map(({ values }) => values[0])

/** Slot 1 dies as soon as it is ready. */
const bad = { BROKEN: 'dies in slot 1' }

function startLoop(t, options) {
  return start(t, {
    app: 'sometimes-broken.js',
    options: { processes: 2, env: bad, backoff: { initial: 5 }, crashLoop: { restarts: 4 }, ...options }
  })
}

test('a slot that crashes in a loop is started once after each wait, and the waits grow to their limit', async (t) => {
  const backoff = { initial: 20, max: 160, factor: 2, jitter: 0 }
  const { primary } = await startLoop(t, { backoff, crashLoop: { restarts: 7 } })
  await primary.event('crashloop')
  const seen = states(primary, 1)
  const delays = seen.filter(({ to }) => to === 'backing-off').map(({ delay }) => delay)
  t.deepEqual(delays, [0, 20, 40, 80, 160, 160, 160])
  t.is(seen.filter(({ to }) => to === 'booting').length, 1 + delays.length, 'one start at first, one after each wait')
  const { causes } = (await primary.call('status')).processes[1]
  t.is(causes.length, delays.length + 1)
  for (const [n, delay] of delays.entries()) {
    // The clock of the events is not that of the timers.
    t.true(causes[n + 1].at - causes[n].at >= delay - 2, `wait ${n} was not kept`)
  }
})

test('a reload to good code brings back a slot that was held', async (t) => {
  const { primary, port } = await startLoop(t)
  await primary.event('crashloop')
  t.is((await primary.call('status')).state, 'degraded')
  t.is((await primary.call('reload', { env: {} })).replaced, 2)
  const { state, processes } = await primary.call('status')
  t.is(state, 'ready')
  t.deepEqual(
    processes.map(({ state }) => state),
    ['ready', 'ready']
  )
  t.is((await request(port)).status, 200)
})

test('after a reload to good code the deaths before it do not count', async (t) => {
  const { primary, pids } = await startLoop(t)
  await primary.event('crashloop')
  await primary.call('reload', { env: {} })
  const from = primary.events.length
  const [, pid] = await pids()
  process.kill(pid, 'SIGKILL')
  await primary.event('state', ({ slot, to }) => slot === 1 && to === 'ready', from)
  t.is((await primary.call('status')).state, 'ready')
})

test('a reload to good code ends the wait of a slot between two crashes', async (t) => {
  const { primary } = await startLoop(t, { backoff: { initial: 3_600_000, max: 3_600_000, jitter: 0 } })
  await primary.event('state', ({ delay }) => delay === 3_600_000)
  await primary.call('reload', { env: {} })
  t.is((await primary.call('status')).state, 'ready')
})

test('a reload to code that is broken, too, rejects with the reason; what serves goes on, and so do the restarts', async (t) => {
  const { primary, pids } = await startLoop(t, { backoff: { initial: 1000, jitter: 0 }, crashLoop: { restarts: 100 } })
  await primary.event('state', ({ delay }) => delay === 1000)
  const [pid] = await pids()
  const from = primary.events.length
  const error = await t.throwsAsync(primary.call('reload', { strategy: 'all', env: { BROKEN: 'throws at load' } }), {
    code: 'ERR_RSPOOL_RELOAD'
  })
  t.regex(error.message, /broken on purpose/)
  t.is((await pids())[0], pid)
  await primary.event('state', ({ slot, to }) => slot === 1 && to === 'booting', from)
})

test('the only slot may come out of a crash loop by a reload that is under way', async (t) => {
  const { primary } = await startLoop(t, {
    processes: 1,
    env: { BROKEN: 'dies when ready' },
    crashLoop: { restarts: 5 },
    backoff: { initial: 200, jitter: 0 }
  })
  await primary.event('state', ({ delay }) => delay === 200)
  t.is((await primary.call('reload', { env: {} })).replaced, 1)
  t.is((await primary.call('status')).state, 'ready')
})

test('a crash loop whose limit is passed during a reload ends the primary only when the reload fails', async (t) => {
  const { primary } = await startLoop(t, {
    processes: 1,
    env: {},
    crashLoop: { restarts: 1 },
    readyTimeout: 5000
  })
  const before = primary.pids.length
  primary.call('reload', { env: { BROKEN: 'never listens' } }).catch(() => {})
  for (let n = 0; n < 2; n++) {
    const pid = primary.pids[before - 1 + n]
    const from = primary.events.length
    process.kill(pid, 'SIGKILL')
    if (n === 0) await primary.event('state', ({ to }) => to === 'ready', from)
    else await primary.event('state', ({ to }) => to === 'failed', from)
  }
  t.is((await primary.exited).code, 70)
  t.regex(primary.output, /reload was given up after 0 of 1 slots: .* not ready within 5000 ms/)
  t.regex(primary.output, /no process is ready after the reload was given up/)
})

test('a stop wins over a reload of a crash loop, and what was not ready yet is no cut work', async (t) => {
  const { primary } = await startLoop(t)
  await primary.event('crashloop')
  const refused = t.throwsAsync(primary.call('reload', { env: { BROKEN: 'never listens' } }), {
    code: 'ERR_RSPOOL_CLUSTER_STOPPED'
  })
  // Calls are answered in order: the reload has begun.
  await primary.call('status')
  primary.child.kill('SIGTERM')
  await refused
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

test('a boot that blocks and is ended by a stop is no cut work', async (t) => {
  const { primary } = await start(t, {
    app: 'sometimes-broken.js',
    options: { processes: 1, env: { BROKEN: 'blocks' }, grace: 300 },
    ready: false
  })
  await primary.event('state', ({ to }) => to === 'booting')
  primary.child.kill('SIGTERM')
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

for (const [how, options] of [
  ['execArgv', { execArgv: ['--inspect-brk=127.0.0.1:0'] }],
  ['NODE_OPTIONS', { env: { NODE_OPTIONS: '--inspect-brk=127.0.0.1:0' } }]
]) {
  test(`a boot that waits for a debugger has no time limit (${how})`, async (t) => {
    const { primary } = await start(t, { options: { processes: 1, readyTimeout: 300, ...options }, ready: false })
    await until(() => /Debugger listening/.test(primary.output))
    await until(async () => (await primary.call('status')).processes[0].uptimeMs > 1000)
    t.is((await primary.call('status')).state, 'booting')
    t.deepEqual(
      primary.events.filter(({ event }) => event === 'exit'),
      []
    )
  })
}
