'use strict'

const http = require('node:http')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { startPrimary, freePort, request, ask, kill, startLoad, until } = require('./cluster/harness')
const { Handoffs } = require('../lib/cluster/primary/handoff')
const { Ports } = require('../lib/cluster/primary/ports')

const start = (t, options) =>
  startPrimary(t, { options: { backoff: { initial: 1 }, crashLoop: { restarts: 1e6 }, ...options } })

const allReady = (primary) => until(async () => (await primary.call('status')).state === 'ready')

/** Until the primary has taken these connections in: its loop has turned since they were made. */
async function taken(primary, connected) {
  await connected
  for (let turn = 0; turn < 3; turn++) await primary.call('processes')
}

/** Blocks a process, or a certain one, and gives its pid. */
async function block(primary, port, wanted) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const { pid } = JSON.parse((await request(port, '/', { agent })).body)
  if (wanted !== undefined && pid !== wanted) {
    agent.destroy()
    return block(primary, port, wanted)
  }
  await request(port, '/block-later', { agent })
  agent.destroy()
  await primary.blocked(pid)
  return pid
}

test('a connection that a hung process never took is answered by another soon after it was killed', async (t) => {
  const { primary, port } = await start(t, { processes: 2 })
  const pid = await block(primary, port)
  // Round robin hands one of these to the process that hangs.
  const answers = Array.from({ length: 8 }, () => request(port).then(({ body }) => JSON.parse(body).pid))
  let open = answers.length
  for (const answer of answers)
    answer.then(() => {
      open--
    })
  await until(() => open <= 1)
  // None of those that come later is the one.
  for (let n = 0; n < 4; n++) await request(port)
  t.is(open, 1, 'one waits')
  kill(pid, 'SIGKILL')
  for (const answer of await Promise.all(answers)) t.not(answer, pid)
  const [{ resent, closed }] = await primary.event('handoff')
  t.deepEqual([resent, closed], [1, 0])
})

test('a dead process whose channel stays open, as a child of it has it, gets no connection', async (t) => {
  const { primary, port } = await start(t, { processes: 1 })
  const [{ pid }] = await primary.call('processes')
  const heir = Number((await request(port, '/heir')).body)
  t.teardown(() => kill(heir, 'SIGKILL'))
  await primary.call('scale', 2)
  t.is(await block(primary, port, pid), pid)
  const { connected, answers } = ask(port, 8)
  await taken(primary, connected)
  kill(pid, 'SIGKILL')
  for (const { body } of await answers) t.not(JSON.parse(body).pid, pid)
  await allReady(primary)
  for (let n = 0; n < 6; n++) t.is((await request(port)).status, 200)
  t.true(kill(heir, 0), 'the channel was open all the time')
})

test('when no process is left the connection waits, and the next process answers it', async (t) => {
  const { primary, port } = await start(t, { processes: 1 })
  const pid = await block(primary, port)
  // The first is handed to the process that hangs; core keeps the others until it took that one.
  const { connected, answers } = ask(port, 5)
  await taken(primary, connected)
  kill(pid, 'SIGKILL')
  for (const { status, body } of await answers) {
    t.is(status, 200)
    t.not(JSON.parse(body).pid, pid)
  }
  const [{ resent, kept, closed }] = await primary.event('handoff')
  t.deepEqual([resent, kept, closed], [0, 1, 0])
})

test('what the last process refuses as it leaves is answered by the next', async (t) => {
  const { primary, port } = await start(t, { processes: 1 })
  const before = await primary.call('descriptors')
  const [{ pid }] = await primary.call('processes')
  // It does not end before it has refused.
  const slow = request(port, '/slow')
  await request(port, '/leave-later')
  await primary.blocked(pid)
  for (const { status, body } of await Promise.all(Array.from({ length: 5 }, () => request(port)))) {
    t.is(status, 200)
    t.not(JSON.parse(body).pid, pid)
  }
  t.is((await slow).body, 'slow')
  await allReady(primary)
  await until(async () => (await primary.call('descriptors')) <= before + 2)
})

for (const policy of ['rr', 'none']) {
  test(`the port stays open while no process lives (${policy})`, async (t) => {
    const { primary, port } = await start(t, { processes: 2, policy })
    const before = await primary.call('descriptors')
    for (let n = 0; n < 5; n++) {
      const processes = await primary.call('processes')
      for (const { pid } of processes) kill(pid, 'SIGKILL')
      for (const { pid } of processes) await primary.event('exit', (exit) => exit.pid === pid)
      const answers = await Promise.all(Array.from({ length: 10 }, () => request(port)))
      t.true(answers.every(({ status }) => status === 200))
      await allReady(primary)
    }
    await until(async () => (await primary.call('descriptors')) <= before + 2)
  })
}

test('with all processes killed again and again under load only requests that were in them fail', async (t) => {
  const { primary, port } = await start(t, { processes: 2 })
  const clients = 12
  const load = startLoad(port, { clients, keepAlive: false })
  const kills = 8
  for (let n = 0; n < kills; n++) {
    const sent = load.sent
    await until(() => load.sent >= sent + 50)
    for (const { pid } of await primary.call('processes')) kill(pid, 'SIGKILL')
    await allReady(primary)
  }
  const { failures } = await load.stop()
  t.true(failures.length <= kills * clients)
  t.deepEqual(
    failures.filter((failure) => !['ECONNRESET', 'aborted', 'EPIPE'].includes(failure)),
    [],
    'none is refused, and none hangs'
  )
})

test('a port that no process will serve again is closed', async (t) => {
  const { primary, port } = await start(t, { processes: 1, crashLoop: { restarts: 1, action: 'hold' } })
  const [{ pid }] = await primary.call('processes')
  kill(pid, 'SIGKILL')
  await primary.event('state', (state) => state.to === 'ready' && state.pid !== pid)
  const [{ pid: second }] = await primary.call('processes')
  const blocked = await block(primary, port)
  t.is(blocked, second)
  const { connected, answers } = ask(port, 1)
  const waiting = t.throwsAsync(answers)
  await taken(primary, connected)
  kill(second, 'SIGKILL')
  await waiting
  await primary.event('state', ({ to }) => to === 'failed')
  await t.throwsAsync(request(port), { code: 'ECONNREFUSED' })
})

test('a port that the new code does not want is closed by the reload', async (t) => {
  const { primary, port } = await start(t, { processes: 2 })
  const other = await freePort()
  await primary.call('reload', { env: { APP_PORT: String(other) } })
  t.is((await request(other)).status, 200)
  await t.throwsAsync(request(port), { code: 'ECONNREFUSED' })
})

test('killing all processes at once leaves no client waiting and no descriptor open', async (t) => {
  const { primary, port } = await start(t, { processes: 2 })
  const before = await primary.call('descriptors')
  for (let n = 0; n < 10; n++) {
    const processes = await primary.call('processes')
    const requests = Array.from({ length: 20 }, () =>
      request(port, '/slow').then(
        () => 'answer',
        () => 'error'
      )
    )
    for (const { pid } of processes) kill(pid, 'SIGKILL')
    t.is((await Promise.all(requests)).length, 20)
    for (const { slot, pid } of processes) {
      await primary.event(
        'state',
        (state) =>
          state.slot === slot &&
          state.to === 'ready' &&
          state.pid > 0 &&
          state.pid !== pid &&
          primary.pids.indexOf(state.pid) > primary.pids.indexOf(pid)
      )
    }
  }
  await until(async () => (await primary.call('descriptors')) <= before + 2)
})

test('under load only requests that were in the killed process fail', async (t) => {
  const { primary, port } = await start(t, { processes: 2 })
  const clients = 6
  const load = startLoad(port, { clients, keepAlive: false })
  const kills = 10
  for (let n = 0; n < kills; n++) {
    const { slot, pid } = (await primary.call('processes'))[n % 2]
    const sent = load.sent
    await until(() => load.sent >= sent + 50)
    const from = primary.events.length
    kill(pid, 'SIGKILL')
    await primary.event('state', (state) => state.slot === slot && state.to === 'ready', from)
  }
  const { failures } = await load.stop()
  t.true(failures.length <= kills * clients)
  t.deepEqual(
    failures.filter((failure) => !['ECONNRESET', 'aborted', 'EPIPE'].includes(failure)),
    [],
    'none hangs'
  )
})

test('where the messages of core have another form nothing is done, once told', (t) => {
  const { EventEmitter } = require('node:events')
  const handoffs = new Handoffs(new Ports(() => false))
  const worker = () => ({ process: Object.assign(new EventEmitter(), { send: () => true }) })
  const [known, unknown, later] = [worker(), worker(), worker()]
  handoffs.follow(known)
  known.process.send({ cmd: 'NODE_CLUSTER', ack: 1, key: ':80' })
  t.true(handoffs.check(known))
  handoffs.follow(unknown)
  t.false(handoffs.check(unknown))
  t.true(handoffs.check(unknown))
  const { send } = later.process
  handoffs.follow(later)
  t.is(later.process.send, send)
  t.deepEqual(handoffs.settle(known), { resent: 0, kept: 0, closed: 0 })
})
