'use strict'

// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { startPrimary, request, kill, until } = require('./cluster/harness')

const start = (t, options, parts) =>
  startPrimary(t, { app: 'spare-app.js', ...parts, options: { spare: 1, gauges: ['depth'], ...options } })

/** The spare that is ready next, of all since the `from`th event. */
const spareOf = async (primary, from = 0) => (await primary.event('spare', ({ to }) => to === 'ready', from))[0].pid

for (const asks of ['when it listens', 'at once']) {
  test(`a spare takes the slot of a process that died, and another is booted (main asks for its slot ${asks})`, async (t) => {
    const { primary, port } = await start(t, { processes: 2 }, { env: { ASKS: asks } })
    const spare = await spareOf(primary)
    const seen = new Set()
    for (let n = 0; n < 6; n++) seen.add(JSON.parse((await request(port)).body).pid)
    t.false(seen.has(spare), 'it serves nobody')
    t.is((await primary.call('status')).spares[0].pid, spare)
    const [, { pid }] = await primary.call('processes')
    const from = primary.events.length
    kill(pid, 'SIGKILL')
    const [state] = await primary.event('state', ({ to, slot }) => slot === 1 && to === 'ready', from)
    t.is(state.pid, spare)
    const [assigned] = await primary.event('spare', ({ to }) => to === 'assigned', from)
    t.deepEqual([assigned.pid, assigned.slot], [spare, 1])
    const answers = []
    for (let n = 0; n < 4; n++) answers.push(JSON.parse((await request(port)).body))
    t.deepEqual(
      answers.find((answer) => answer.pid === spare),
      { pid: spare, slot: 1, env: '1' }
    )
    t.is((await primary.call('status')).processes[1].generation, 2)
    t.not(await spareOf(primary, from), spare)
  })
}

test('what a spare counted and set counts for its slot from then on', async (t) => {
  const { primary } = await start(t, { processes: 1 })
  const spare = await spareOf(primary)
  t.regex(await primary.call('metrics'), /^depth\{slot="spare-0"\} 1$/m)
  t.regex(await primary.call('metrics'), /^rspool_cluster_spares 1$/m)
  const [{ pid }] = await primary.call('processes')
  const from = primary.events.length
  kill(pid, 'SIGKILL')
  await primary.event('state', ({ to, pid: now }) => now === spare && to === 'ready', from)
  t.regex(await primary.call('metrics'), /^depth\{slot="0"\} 1$/m)
  // One addition of each process that booted, the next spare's maybe included.
  t.true((await primary.call('counter', 'requests')) >= 2)
})

test('an application file is loaded, and listens when it has a slot', async (t) => {
  const { primary, port } = await start(
    t,
    { processes: 1 },
    { app: undefined, file: require.resolve('./cluster/plain-app.js') }
  )
  const spare = await spareOf(primary)
  const [{ pid }] = await primary.call('processes')
  kill(pid, 'SIGKILL')
  await primary.event('state', ({ to, pid: now }) => now === spare && to === 'ready')
  t.like(JSON.parse((await request(port)).body), { slot: '0', current: 0 })
})

test('a reload ends the spares of before, and a scale takes those that are there', async (t) => {
  const { primary, port } = await start(t, { processes: 1, env: { OWN: '1' } })
  const old = await spareOf(primary)
  const from = primary.events.length
  await primary.call('reload', { env: { OWN: '2' } })
  const fresh = await spareOf(primary, from)
  t.not(fresh, old)
  t.true((await primary.call('processes')).every(({ pid }) => pid !== old))
  await primary.call('scale', 2)
  t.is((await primary.call('processes'))[1].pid, fresh)
  for (let n = 0; n < 4; n++) t.is(JSON.parse((await request(port)).body).own, '2')
})

test('a main that asks for its slot too early is told so, and harms nobody', async (t) => {
  const { primary, port } = await start(t, { processes: 1, backoff: { initial: 50 } }, { env: { ASKS: 'too early' } })
  const [{ cause }] = await primary.event('spare', ({ to }) => to === 'ended')
  t.is(cause.error.code, 'ERR_RSPOOL_NO_SLOT')
  const told = /a spare process failed to boot: .*'slot' is not known in a spare process/
  await until(() => told.test(primary.output))
  t.is((await request(port)).status, 200)
  t.is((await primary.call('status')).state, 'ready')
})

test('spares end with the cluster', async (t) => {
  const { primary } = await start(t, { processes: 1, spare: 2 })
  const first = await spareOf(primary)
  await primary.event('spare', ({ to, pid }) => to === 'ready' && pid !== first)
  primary.child.kill('SIGTERM')
  t.deepEqual(await primary.exited, { code: 0, signal: null })
  t.is(primary.events.filter(({ event, values }) => event === 'spare' && values[0].to === 'ended').length, 2)
})
