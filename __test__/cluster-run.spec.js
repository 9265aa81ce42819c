'use strict'

const fs = require('node:fs')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { Primary, startPrimary, request, kill, gone, until } = require('./cluster/harness')
const cluster = require('../lib/cluster')

const start = (t, parts) => startPrimary(t, { ...parts, ready: false })

const invalid = { code: 'ERR_RSPOOL_INVALID_ARGUMENT', instanceOf: TypeError }

test('wrong arguments throw at once and say what is allowed', (t) => {
  const main = () => {}
  t.throws(() => cluster.run(), { ...invalid, message: /function or a file/ })
  t.throws(() => cluster.run('./there-is-no-such-file.js'), { ...invalid, message: /there is no file/ })
  t.throws(() => cluster.run(main, { proceses: 2 }), { ...invalid, message: /Did you mean 'processes'/ })
  t.throws(() => cluster.run(main, { processes: -1 }), { ...invalid, message: /'auto' or an integer/ })
  t.throws(() => cluster.run(main, { processes: 1.5 }), invalid)
  t.throws(() => cluster.run(main, { spare: -1 }), { ...invalid, message: /'spare'/ })
  t.throws(() => cluster.run(main, { policy: 'random' }), { ...invalid, message: /'rr' or 'none'/ })
  t.throws(() => cluster.run(main, { counters: ['a', 'a'] }), { ...invalid, message: /twice/ })
  t.throws(() => cluster.run(main, { counters: ['a'], gauges: ['a'] }), { ...invalid, message: /two kinds/ })
  t.throws(() => cluster.run(main, { histograms: { a: [2, 1] } }), { ...invalid, message: /rising/ })
  t.throws(() => cluster.run(main, { grace: '10s' }), { ...invalid, message: /milliseconds/ })
  t.throws(() => cluster.run(main, { memoryLimit: '120%' }), invalid)
  t.throws(() => cluster.run(main, { backoff: { inital: 1 } }), { ...invalid, message: /Did you mean 'initial'/ })
  t.throws(() => cluster.run(main, { processes: 4, maxProcesses: 2 }), { ...invalid, message: /less than/ })
  t.throws(() => cluster.run(main, Object.create({ processes: 1 }, { oops: { value: 1, enumerable: true } })), invalid)
})

test('processes share one port, and each knows its slot', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 2 } })
  await primary.ready
  const seen = new Set()
  for (let i = 0; i < 4; i++) seen.add(JSON.parse((await request(port)).body).slot)
  t.deepEqual([...seen].sort(), [0, 1])
  const processes = await primary.call('processes')
  t.deepEqual(
    processes.map(({ slot, state, generation }) => [slot, state, generation]),
    [
      [0, 'ready', 1],
      [1, 'ready', 1]
    ]
  )
  t.is(new Set(processes.map(({ pid }) => pid)).size, 2)
  const report = await primary.call('stop')
  t.is(report.forced, 0)
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

test('under round robin each process gets its share of the connections', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 3 } })
  await primary.ready
  const counts = [0, 0, 0]
  // One after another: then all are free, and it is not the busy machine that decides.
  for (let n = 0; n < 120; n++) counts[JSON.parse((await request(port)).body).slot]++
  t.true(Math.max(...counts) <= 1.2 * Math.min(...counts), `${counts}`)
})

test('a killed process comes back in its slot as the next generation, and what it counted stays', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 2 } })
  await primary.ready
  for (let i = 0; i < 10; i++) await request(port, '/count')
  const [{ pid }] = await primary.call('processes')
  kill(pid, 'SIGKILL')
  const [{ cause }] = await primary.event('exit', (exit) => exit.pid === pid)
  t.is(cause.kind, 'signal')
  t.is(cause.signal, 'SIGKILL')
  await primary.event('state', ({ slot, to, pid: now }) => slot === 0 && to === 'ready' && now !== pid)
  t.is(await primary.call('counter', 'requests'), 10)
  t.is((await request(port, '/count')).body, '11')
  const status = await primary.call('status')
  t.is(status.state, 'ready')
  t.is(status.processes[0].generation, 2)
  t.is(status.processes[0].restarts, 1)
  t.regex(status.processes[0].causes[0].message, /killed by SIGKILL/)
})

test('an application file runs unchanged, as the main module with its own arguments', async (t) => {
  const file = require.resolve('./cluster/plain-app.js')
  const { primary, port } = await start(t, { file, options: { processes: 2, args: ['--color', 'red'] } })
  await primary.ready
  t.deepEqual(JSON.parse((await request(port)).body), { main: true, args: ['--color', 'red'], slot: '0', current: 0 })
})

test('an ES module runs, too', async (t) => {
  const file = require.resolve('./cluster/module-app.mjs')
  const { primary, port } = await start(t, { file, options: { processes: 1 } })
  await primary.ready
  t.is((await request(port)).body, 'module 0')
})

test('a promise of main without a server is ready when it resolves', async (t) => {
  const { primary } = await start(t, { app: 'counting.js', options: { processes: 2 } })
  await primary.ready
  t.is(await primary.call('counter', 'requests'), 2)
})

test('with no process at all, main runs here and everything else is the same', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 0 } })
  await primary.ready
  t.is(JSON.parse((await request(port)).body).pid, primary.child.pid)
  t.is((await request(port, '/count')).body, '1')
  t.is(await primary.call('counter', 'requests'), 1)
  t.deepEqual(await primary.call('request', 0, { a: 1 }), { slot: 0, got: { a: 1 } })
  t.is((await primary.call('status')).state, 'ready')
  await t.throwsAsync(primary.call('scale', 2), { code: 'ERR_RSPOOL_UNSUPPORTED' })
  t.regex(await primary.call('metrics'), /^requests_total\{slot="0"\} 1$/m)
  await primary.call('stop')
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

test('with no process at all, a main that fails ends the program with 3 and the reason', async (t) => {
  const { primary } = await start(t, { app: 'broken.js', env: { BROKEN: 'rejects' }, options: { processes: 0 } })
  t.is((await primary.exited).code, 3)
  t.regex(primary.output, /main failed: Error: broken on purpose/)
})

test('a process that never gets ready is no process: the primary ends with 3 and the reason, once', async (t) => {
  const { primary } = await start(t, { app: 'broken.js', env: { BROKEN: 'throws' }, options: { processes: 4 } })
  const { code } = await primary.exited
  t.is(code, 3)
  t.is(primary.output.match(/broken on purpose/g).length, 1)
  t.is(primary.pids.length, 3)
})

for (const [how, said, limit = 3000] of [
  ['rejects', /broken on purpose/],
  ['throws at load', /broken on purpose/],
  ['exits', /exited with code 0 before it was ready/, 20_000],
  ['never listens', /not ready within 3000 ms: no server listens and ready\(\) was not called/],
  ['never resolves', /not ready within 3000 ms: main's promise is still pending/],
  ['blocks', /not ready within 3000 ms: its event loop does not turn/]
]) {
  test(`a main that ${how} is told apart`, async (t) => {
    const { primary } = await start(t, {
      app: 'broken.js',
      env: { BROKEN: how },
      options: { processes: 2, bootAttempts: 1, readyTimeout: limit }
    })
    const [error] = await primary.event('unready')
    t.is(error.code, 'ERR_RSPOOL_NO_BOOT')
    t.regex(error.message, said)
    t.is((await primary.exited).code, 3)
    t.is(primary.pids.length, 1)
  })
}

test('a port that is in use is one clear error', async (t) => {
  const { once } = require('node:events')
  const blocker = require('node:net').createServer().listen(0)
  await once(blocker, 'listening')
  t.teardown(() => blocker.close())
  const { port } = blocker.address()
  const primary = new Primary(t, { env: { APP_PORT: String(port) }, options: { processes: 2 } })
  t.is((await primary.exited).code, 3)
  t.is(primary.output.match(/EADDRINUSE/g).length, 1)
  t.regex(primary.output, new RegExp(`could not listen: .*${port}`))
})

test('processes that die again and again, soon after they were ready, end the primary with 70', async (t) => {
  const { primary } = await start(t, {
    app: 'broken.js',
    env: { BROKEN: 'dies when ready' },
    options: { processes: 1, backoff: { initial: 5 } }
  })
  t.is((await primary.exited).code, 70)
  t.is(primary.pids.length, 6, 'five restarts in a minute are allowed')
  t.regex(primary.output, /crash loop/)
})

test('one bad slot is held while the others serve', async (t) => {
  const { primary } = await start(t, {
    app: 'broken.js',
    env: { BROKEN: 'dies in slot 1' },
    options: { processes: 3, backoff: { initial: 5 }, crashLoop: { restarts: 4 } }
  })
  const [{ slot, held }] = await primary.event('crashloop')
  t.deepEqual([slot, held], [1, true])
  await primary.ready
  const status = await primary.call('status')
  t.is(status.state, 'degraded')
  t.deepEqual(
    status.processes.map(({ state }) => state),
    ['ready', 'failed', 'ready']
  )
})

test('processes end with a primary that was killed, also when they are blocked', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 2 } })
  await primary.ready
  const pids = (await primary.call('processes')).map(({ pid }) => pid)
  request(port, '/block').catch(() => {})
  await request(port, '/')
  kill(primary.child.pid, 'SIGKILL')
  await Promise.all(pids.map(gone))
  const again = require('node:net').createServer().listen(port)
  await require('node:events').once(again, 'listening')
  again.close()
  t.pass()
})

test('what a process has started ends with it when the primary was killed, unless it was detached', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 2 } })
  await primary.ready
  const pids = (await primary.call('processes')).map(({ pid }) => pid)
  // Round robin: one child of each process, then a detached one of the first, which hangs in the end.
  const started = []
  for (const detached of ['no', 'no', 'yes']) {
    started.push(Number((await request(port, '/child', { headers: { detached } })).body))
  }
  const parents = started.map(parentOf)
  t.deepEqual(new Set(parents), new Set(pids))
  await request(port)
  request(port, '/block').catch(() => {})
  await request(port)
  t.teardown(() => kill(started[2], 'SIGKILL'))
  kill(primary.child.pid, 'SIGKILL')
  await Promise.all([...pids, started[0], started[1]].map(gone))
  t.true(kill(started[2], 0))
})

test('a process that is stopped ends with its primary, and what it has started as well', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 1 } })
  await primary.ready
  const [{ pid }] = await primary.call('processes')
  const child = Number((await request(port, '/child')).body)
  kill(pid, 'SIGSTOP')
  kill(primary.child.pid, 'SIGKILL')
  await Promise.all([gone(pid), gone(child)])
  t.pass()
})

const parentOf = (pid) => Number(fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1])

test('a primary that runs out of descriptors goes on with the processes that it has', async (t) => {
  const { primary } = await start(t, {
    app: 'counting.js',
    options: { processes: 12, backoff: { initial: 50, max: 50 }, crashLoop: { restarts: 20, action: 'hold' } },
    command: ['/bin/sh', ['-c', 'ulimit -n 40; exec "$0" "$@"', process.execPath]]
  })
  await primary.ready
  const { state, ready, processes } = await primary.call('status')
  t.is(state, 'degraded')
  t.true(ready >= 1 && ready < 12)
  t.true(processes.some(({ causes }) => causes.some(({ message }) => /could not be started/.test(message))))
})

const asFirst = ['-pf', '--mount-proc', '--kill-child', process.execPath]
const canBeFirst = require('node:child_process').spawnSync('unshare', [...asFirst, '-v']).status === 0
const asFirstTest = (title, run) =>
  canBeFirst ? test(title, run) : test.skip(`${title} (no pid namespace can be made here)`, run)

async function startAsFirst(t) {
  const { primary, port } = await start(t, { options: { processes: 2 }, command: ['unshare', asFirst] })
  await primary.ready
  const childrenOf = (pid) =>
    fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  const [first] = childrenOf(primary.child.pid)
  return { primary, port, first, children: () => childrenOf(first) }
}

asFirstTest('it works as process 1 of a container', async (t) => {
  const { primary, port, first } = await startAsFirst(t)
  t.is((await request(port)).status, 200)
  kill(first, 'SIGTERM')
  t.is((await primary.exited).code, 0)
})

asFirstTest("as process 1 it buries the orphans of others, and takes nobody's exit from core", async (t) => {
  const { primary, port, children } = await startAsFirst(t)
  await request(port, '/orphan')
  await until(() => children().length === 3)
  t.is(await primary.call('ownChild', 2500), 7)
  await until(() => children().length === 2)
  t.deepEqual(
    primary.events.filter(({ event }) => event === 'exit'),
    []
  )
})
