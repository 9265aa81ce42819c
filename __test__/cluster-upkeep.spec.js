'use strict'

const http = require('node:http')
const fs = require('node:fs')
const path = require('node:path')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { directory } = require('./helpers')
const { startPrimary, freePort, request, startLoad, kill, until } = require('./cluster/harness')
const { memoryGroup } = require('./cluster/memory-group')

const start = (t, options, parts) => startPrimary(t, { ...parts, options: { backoff: { initial: 1 }, ...options } })

const stalled = (primary) =>
  primary.events.filter(({ event }) => event === 'stalled').map(({ values }) => values[0].pid)

/** Has a process other than `spared` hang, after `count` others, until it was found and replaced. */
async function hangOther(primary, port, spared, count) {
  const isOther = ({ pid, state }) => pid !== spared && state === 'ready' && !stalled(primary).includes(pid)
  let slot
  await until(async () => {
    slot = (await primary.call('processes')).find(isOther)?.slot
    return slot !== undefined
  })
  await primary.call('send', slot, 'block')
  await until(() => stalled(primary).length > count)
}

/** Asks the process of a random slot, and gives its pid. */
async function visit(port, url) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const { pid } = JSON.parse((await request(port, '/', { agent })).body)
  await request(port, url, { agent }).catch(() => {})
  agent.destroy()
  return pid
}

test('a loop that never turns is named with its stack, killed and replaced, and its connections are answered', async (t) => {
  const { primary, port } = await start(t, { processes: 2, stallTimeout: 1500 })
  const pid = await visit(port, '/block-later')
  await primary.blocked(pid)
  const answers = Promise.all(Array.from({ length: 6 }, () => request(port)))
  const [{ stack, silentMs }] = await primary.event('stalled', (stalled) => stalled.pid === pid)
  t.true(silentMs >= 1500)
  t.regex(stack, /at spinForEver \(.*app\.js:\d+:\d+\)/)
  for (const { status, body } of await answers) {
    t.is(status, 200)
    t.not(JSON.parse(body).pid, pid)
  }
  const [{ cause }] = await primary.event('exit', (exit) => exit.pid === pid)
  t.is(cause.kind, 'stalled')
  t.regex(cause.message, /did not turn for \d+ ms\n +at spinForEver/)
  await primary.event('state', ({ to, pid: now }) => to === 'ready' && primary.pids.indexOf(now) > 1)
  t.is((await primary.call('status')).state, 'ready')
})

test('a loop that sleeps in a call is found as well', async (t) => {
  const { primary, port } = await start(t, { processes: 1, stallTimeout: 1000, stallStack: false })
  request(port, '/wait').catch(() => {})
  const [{ stack }] = await primary.event('stalled')
  t.is(stack, '')
})

test('a process that is stopped is not killed, and goes on where it was', async (t) => {
  const { primary, port } = await start(t, { processes: 2, stallTimeout: 1000 })
  const [{ pid }] = await primary.call('processes')
  kill(pid, 'SIGSTOP')
  // Others that hang meanwhile are found, one after the other, and this one is not.
  await hangOther(primary, port, pid, 0)
  await hangOther(primary, port, pid, 1)
  kill(pid, 'SIGCONT')
  await until(async () => JSON.parse((await request(port)).body).pid === pid)
  await hangOther(primary, port, pid, 2)
  t.false(stalled(primary).includes(pid))
})

test('a primary whose own loop is blocked kills nobody that is well', async (t) => {
  const { primary } = await start(t, { processes: 2, stallTimeout: 2000 })
  const [{ pid }, { pid: other }] = await primary.call('processes')
  await primary.call('block', 5000)
  t.deepEqual(
    (await primary.call('processes')).map(({ pid }) => pid),
    [pid, other]
  )
  t.deepEqual(
    primary.events.filter(({ event }) => event === 'stalled'),
    []
  )
})

test('a process with an open inspector is not killed: somebody may sit in front of it', async (t) => {
  const { primary, port } = await start(t, { processes: 1, stallTimeout: 1000, execArgv: ['--inspect=0'] })
  const [{ pid }] = await primary.call('processes')
  await request(port, '/block-later')
  await primary.blocked(pid)
  // Two without one are found, one after the other.
  const other = await start(t, { processes: 1, stallTimeout: 1000 })
  for (const count of [0, 1]) await hangOther(other.primary, other.port, undefined, count)
  t.deepEqual(stalled(primary), [])
  kill(pid, 'SIGKILL')
})

test('a process that hangs is killed while the loop of the primary is blocked', async (t) => {
  const { primary, port } = await start(t, { processes: 1, stallTimeout: 500, stallStack: false })
  const [{ pid }] = await primary.call('processes')
  await request(port, '/block-later')
  const dir = directory(t, {})
  const ended = path.join(dir, 'ended')
  const blocked = primary.call('blockUntil', ended)
  // The primary cannot reap it meanwhile: what remains has ended.
  await until(() => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0] === 'Z')
  fs.writeFileSync(ended, '')
  await blocked
  t.is((await primary.event('exit'))[0].cause.kind, 'stalled')
})

test('a process above its memory limit is replaced by a new one first, without a lost request', async (t) => {
  const { primary, port } = await start(t, { processes: 2, memoryLimit: 250e6 })
  const load = startLoad(port, { clients: 4 })
  const pid = await visit(port, '/balloon')
  const [{ pid: reported, rss }] = await primary.event('memory')
  t.is(reported, pid)
  t.true(rss > 250e6)
  const [{ reason }] = await primary.event('recycle')
  t.is(reason, 'memory')
  t.deepEqual((await load.stop()).failures, [])
  const [{ cause }] = await primary.event('exit')
  t.true(cause.planned)
  t.is(
    (await primary.call('status')).processes.reduce((all, { restarts }) => all + restarts, 0),
    0
  )
})

for (const [kind, recycle] of [
  ['requests', { requests: 50 }],
  ['age', { age: 800 }]
]) {
  test(`processes are recycled by ${kind}, one at a time, without a lost request`, async (t) => {
    const { primary, port } = await start(t, { processes: 2, recycle })
    const load = startLoad(port, { clients: 4 })
    await until(() => primary.events.filter(({ event }) => event === 'recycle').length >= 4)
    t.deepEqual((await load.stop()).failures, [])
    // Between the end of one recycled process and the next there is never another end.
    const order = primary.events
      .filter(({ event }) => event === 'recycle' || event === 'exit')
      .map(({ event }) => event)
    t.false(order.join(' ').includes('recycle recycle'))
    t.is(primary.events.find(({ event }) => event === 'recycle').values[0].reason, kind)
  })
}

test('a heap that is full is told as that', async (t) => {
  const { primary, port } = await start(
    t,
    { processes: 1, execArgv: ['--max-old-space-size=40'] },
    { app: 'heap-app.js' }
  )
  request(port, '/fill').catch(() => {})
  const [{ cause }] = await primary.event('exit')
  t.is(cause.kind, 'out-of-memory')
  t.regex(cause.message, /ran out of memory \(its JavaScript heap may have \d+ MiB\)/)
})

const group = memoryGroup()
const inGroup = (title, run) =>
  group === undefined ? test.skip(`${title} (no memory control group can be made here)`, run) : test(title, run)

inGroup(
  'a process that the kernel killed for want of memory is told as that, and another takes its slot',
  async (t) => {
    const { primary, port } = await start(t, { processes: 2 }, { command: group.enter(t, 400 * 2 ** 20) })
    const pid = await visit(port, '/balloon-for-ever')
    const [{ cause }] = await primary.event('exit', (exit) => exit.pid === pid)
    t.is(cause.kind, 'out-of-memory')
    t.is(cause.signal, 'SIGKILL')
    t.regex(cause.message, /the kernel killed it for the control group's memory/)
    await until(async () => (await primary.call('status')).state === 'ready')
    const [{ pid: other }] = await primary.call('processes')
    kill(other, 'SIGKILL')
    const [{ cause: later }] = await primary.event('exit', (exit) => exit.pid === other)
    t.is(later.kind, 'signal', 'a later kill is not blamed on memory')
  }
)

inGroup('a limit that is a share of the control group replaces a process before the kernel ends it', async (t) => {
  const { primary, port } = await start(
    t,
    { processes: 2, memoryLimit: '30%' },
    { command: group.enter(t, 900 * 2 ** 20) }
  )
  const load = startLoad(port, { clients: 4 })
  const pid = await visit(port, '/balloon')
  const [{ reason }] = await primary.event('recycle')
  t.is(reason, 'memory')
  t.deepEqual((await load.stop()).failures, [])
  const [{ cause }] = await primary.event('exit', (exit) => exit.pid === pid)
  t.is(cause.kind, 'memory')
})

test('the status and the metrics are complete while one process hangs and one was just killed', async (t) => {
  const { primary, port } = await start(t, { processes: 3, gauges: ['depth'], histograms: { 'took-ms': [1, 10] } })
  for (let n = 0; n < 9; n++) await request(port, '/count')
  // What processes tell of themselves, and what the watcher reads, comes after a while.
  const told = ({ pss, requests }) => pss > 0 && requests === 3
  await until(async () => (await primary.call('status')).processes.every(told))
  const before = await primary.call('metrics')
  const total = (text, name) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)
  t.is(total(before, 'requests_total'), 9)
  t.is(total(before, 'rspool_http_requests_total'), 9)
  const hung = await visit(port, '/block-later')
  const { pid } = (await primary.call('processes')).find((process) => process.pid !== hung)
  kill(pid, 'SIGKILL')
  await primary.event('exit', (exit) => exit.pid === pid)
  const status = await primary.call('status')
  const process = status.processes.find((process) => process.pid === hung)
  t.true(process.rss > 1e7 && process.pss > 1e6 && process.fds > 3 && process.fdLimit > 3 && process.heapUsed > 1e6)
  const after = await primary.call('metrics')
  t.is(total(after, 'requests_total'), 9)
  t.true(total(after, 'rspool_http_requests_total') >= 9)
  t.regex(after, /^took_ms_bucket\{slot="0",le="\+Inf"\} 0$/m)
  t.regex(after, /^depth\{slot="1"\} 0$/m)
  t.regex(after, /^rspool_process_resident_bytes\{slot="\d"\} \d+$/m)
})

test('metrics are served on a port of their own', async (t) => {
  const metricsPort = await freePort()
  await start(t, { processes: 1, metricsPort })
  const { headers, body } = await request(metricsPort, '/metrics')
  t.regex(headers['content-type'], /^text\/plain; version=0\.0\.4/)
  t.regex(body, /^rspool_cluster_ready 1$/m)
  t.is((await request(metricsPort, '/other')).status, 404)
})
