'use strict'

const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { startPrimary: start, request, startLoad, kill } = require('./cluster/harness')

for (const [policy, keepAlive, times] of [
  ['rr', true, 20],
  ['rr', false, 20],
  ['none', true, 20],
  ['none', false, 20]
]) {
  test(`${times} reloads under load fail no POST (${policy}, ${keepAlive ? 'kept-alive' : 'new'} connections)`, async (t) => {
    const { primary, port, pids } = await start(t, { options: { processes: 2, policy } })
    const before = await pids()
    const load = startLoad(port, { clients: 6, keepAlive })
    for (let n = 0; n < times; n++) {
      const { replaced, forced } = await primary.call('reload')
      t.deepEqual([replaced, forced], [2, 0])
    }
    const { sent, failures } = await load.stop()
    t.deepEqual(failures, [])
    t.true(sent > 100)
    t.deepEqual(before.filter((pid) => primary.pids.includes(pid)).length, 2)
    t.is((await primary.call('processes'))[0].generation, times + 1)
  })
}

for (const keepAlive of [true, false]) {
  test(`20 changes of size under load fail no POST (${keepAlive ? 'kept-alive' : 'new'} connections)`, async (t) => {
    const { primary, port } = await start(t, { options: { processes: 2 } })
    const load = startLoad(port, { clients: 6, keepAlive })
    for (let n = 0; n < 20; n++) {
      await primary.call('scale', n % 2 === 0 ? 4 : 1)
      t.is((await primary.call('processes')).length, n % 2 === 0 ? 4 : 1)
    }
    const { sent, failures } = await load.stop()
    t.deepEqual(failures, [])
    t.true(sent > 100)
  })
}

test('there are never fewer ready processes than slots while a reload goes on', async (t) => {
  const { primary, pids } = await start(t, { options: { processes: 3 } })
  const before = await pids()
  const from = primary.events.length
  await primary.call('reload')
  const after = await pids()
  t.is(new Set([...before, ...after]).size, 6)
  t.deepEqual(
    primary.events.slice(from).filter(({ event, values }) => event === 'state' && values[0].to !== 'ready'),
    []
  )
})

test('a reload takes new surroundings', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 2, env: { APP_VERSION: '1' } } })
  t.is(JSON.parse((await request(port)).body).env, '1')
  await primary.call('reload', { env: { APP_VERSION: '2' } })
  t.is(JSON.parse((await request(port)).body).env, '2')
  const [{ pid }] = await primary.call('processes')
  const from = primary.events.length
  kill(pid, 'SIGKILL')
  await primary.event('state', (state) => state.slot === 0 && state.to === 'ready', from)
  for (let n = 0; n < 4; n++) t.is(JSON.parse((await request(port)).body).env, '2')
})

for (const strategy of ['surge', 'all']) {
  for (const [how, said] of [
    ['throws at load', /broken on purpose/],
    ['exits', /exited with code 0 before it was ready/],
    ['never listens', /no server listens/],
    ['blocks', /its event loop does not turn/]
  ]) {
    test(`a reload to code that ${how} is refused, and the old processes go on (${strategy})`, async (t) => {
      const { primary, port, pids } = await start(t, {
        app: 'sometimes-broken.js',
        options: { processes: 2, readyTimeout: 3000 }
      })
      const before = await pids()
      const load = startLoad(port, { clients: 4 })
      const error = await t.throwsAsync(primary.call('reload', { strategy, env: { BROKEN: how } }), {
        code: 'ERR_RSPOOL_RELOAD'
      })
      t.regex(error.message, said)
      t.deepEqual((await load.stop()).failures, [])
      t.deepEqual(await pids(), before)
      t.is((await primary.call('status')).state, 'ready')
      t.is((await primary.call('reload')).replaced, 2, 'the next one is not hurt')
    })
  }
}

test('when a later slot fails, those that were replaced go back to what they were', async (t) => {
  const { primary, port } = await start(t, { app: 'sometimes-broken.js', options: { processes: 2 } })
  const error = await t.throwsAsync(primary.call('reload', { env: { BROKEN: 'throws in slot 1', APP_VERSION: 'new' } }))
  t.is(error.code, 'ERR_RSPOOL_RELOAD')
  t.regex(error.message, /after 1 of 2 slots/)
  for (let n = 0; n < 4; n++) t.is(JSON.parse((await request(port)).body).env, undefined)
})

test('a canary that dies, or answers with errors, while it is watched is taken back', async (t) => {
  const { primary, port, pids } = await start(t, { options: { processes: 2 } })
  const before = await pids()
  for (const [url, canary] of [
    ['/exit', { watch: 20_000 }],
    ['/error', { watch: 1500, maxErrors: 2 }]
  ]) {
    const refused = t.throwsAsync(primary.call('reload', { canary }), { code: 'ERR_RSPOOL_RELOAD', message: /slot 0/ })
    let done = false
    refused.then(() => {
      done = true
    })
    while (!done) {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
      const { pid } = JSON.parse((await request(port, '/', { agent })).body)
      if (!before.includes(pid)) await request(port, url, { agent }).catch(() => {})
      agent.destroy()
    }
    await refused
  }
  t.deepEqual(await pids(), before)
})

test('reloads during a reload are one more reload', async (t) => {
  const { primary } = await start(t, { options: { processes: 1 } })
  const reports = await Promise.all(Array.from({ length: 5 }, () => primary.call('reload')))
  t.is(reports.length, 5)
  t.is((await primary.call('processes'))[0].generation, 3)
  t.is(primary.events.filter(({ event }) => event === 'reload').length, 2, 'one event a reload')
})

test('stop wins over a reload', async (t) => {
  const { primary } = await start(t, { app: 'sometimes-broken.js', options: { processes: 2 } })
  const refused = t.throwsAsync(primary.call('reload', { env: { BROKEN: 'never listens' } }), {
    code: 'ERR_RSPOOL_CLUSTER_STOPPED'
  })
  const waiting = t.throwsAsync(primary.call('reload'), { code: 'ERR_RSPOOL_CLUSTER_STOPPED' })
  await primary.call('stop')
  await Promise.all([refused, waiting])
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

test('a link to a release is followed at each reload', async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-'))
  const app = (version) => `require('http').createServer((q, r) => r.end('${version}')).listen(+process.env.APP_PORT)`
  for (const version of ['1', '2']) {
    fs.mkdirSync(path.join(dir, version))
    fs.writeFileSync(path.join(dir, version, 'app.js'), app(version))
  }
  const link = path.join(dir, 'current')
  fs.symlinkSync(path.join(dir, '1'), link)
  const { primary, port } = await start(t, { file: path.join(link, 'app.js'), options: { processes: 1 } })
  t.is((await request(port)).body, '1')
  fs.unlinkSync(link)
  fs.symlinkSync(path.join(dir, '2'), link)
  await primary.call('reload')
  t.is((await request(port)).body, '2')
})

test('restart replaces one process, and revives a slot that was held', async (t) => {
  const { primary, pids } = await start(t, { options: { processes: 2 } })
  const [first, second] = await pids()
  await primary.call('restart', 1)
  const now = await pids()
  t.is(now[0], first)
  t.not(now[1], second)
  await t.throwsAsync(primary.call('restart', 2), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  await t.throwsAsync(primary.call('scale', 0), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  await t.throwsAsync(primary.call('scale', 1000), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message: /maxProcesses/ })
  await t.throwsAsync(primary.call('reload', { strategie: 'all' }), {
    code: 'ERR_RSPOOL_INVALID_ARGUMENT',
    message: /Did you mean 'strategy'/
  })
})

test('SIGHUP reloads, SIGTTIN and SIGTTOU change the size', async (t) => {
  const { primary } = await start(t, { options: { processes: 1 } })
  primary.child.kill('SIGHUP')
  const [{ replaced }] = await primary.event('reload')
  t.is(replaced, 1)
  primary.child.kill('SIGTTIN')
  await primary.event('state', ({ slot, to }) => slot === 1 && to === 'ready')
  primary.child.kill('SIGTTOU')
  await primary.event('state', ({ slot, to }) => slot === 1 && to === 'stopped')
  t.is((await primary.call('processes')).length, 1)
})
