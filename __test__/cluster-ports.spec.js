'use strict'

const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { once } = require('node:events')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { Primary, startPrimary, freePort, request, requestAt, kill, until } = require('./cluster/harness')

const OPTIONS = { processes: 2, backoff: { initial: 1 }, crashLoop: { restarts: 1e6 } }

let paths = 0
function freePath(t) {
  const file = path.join(os.tmpdir(), `rspool-test-${process.pid}-${paths++}.sock`)
  t.teardown(() => fs.rmSync(file, { force: true }))
  return file
}

async function startAt(t, places, options = {}) {
  const { primary } = await startPrimary(t, {
    app: 'ports-app.js',
    env: { LISTEN: JSON.stringify(places) },
    options: { ...OPTIONS, ...options }
  })
  return primary
}

/** Kills all processes at once. */
async function killAll(primary) {
  const from = primary.events.length
  const processes = await primary.call('processes')
  for (const { pid } of processes) kill(pid, 'SIGKILL')
  for (const { pid } of processes) await primary.event('exit', (exit) => exit.pid === pid, from)
}

const allReady = (primary) => until(async () => (await primary.call('status')).state === 'ready')

/** Asks at a place; gives the number of the server that answered. */
async function numberAt(place) {
  return JSON.parse((await requestAt(place)).body).number
}

for (const policy of ['rr', 'none']) {
  test(`sockets of every sort are there when all processes have died (${policy})`, async (t) => {
    const port = await freePort(2)
    const file = freePath(t)
    const places = [{ host: '127.0.0.1', port }, { path: file }, { host: '::', port: port + 1 }]
    const asked = [...places.slice(0, 2), { host: '127.0.0.1', port: port + 1 }, { host: '::1', port: port + 1 }]
    const numbers = [0, 1, 2, 2]
    const primary = await startAt(t, places, { policy })
    for (let round = 0; round < 3; round++) {
      t.deepEqual(await Promise.all(asked.map(numberAt)), numbers)
      await killAll(primary)
      t.deepEqual(await Promise.all(asked.map(numberAt)), numbers, 'they wait for the next process')
      await allReady(primary)
    }
    primary.child.kill('SIGTERM')
    t.deepEqual(await primary.exited, { code: 0, signal: null })
    t.false(fs.existsSync(file))
  })

  test(`a port that the system has chosen stays the same (${policy})`, async (t) => {
    const file = freePath(t)
    const primary = await startAt(t, [{ path: file }, { host: '127.0.0.1', port: 0 }], { policy, processes: 1 })
    const [{ pid }] = await primary.call('processes')
    const [port] = listeningPorts(primary.child.pid)
    t.is(await numberAt({ port, host: '127.0.0.1' }), 1)
    await killAll(primary)
    t.is(await numberAt({ port, host: '127.0.0.1' }), 1)
    t.not(JSON.parse((await requestAt({ port, host: '127.0.0.1' })).body).pid, pid)
  })
}

/** The ports that a process listens on (TCP, IPv4). */
function listeningPorts(pid) {
  const own = new Set(
    fs.readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return fs.readlinkSync(`/proc/${pid}/fd/${fd}`)
      } catch {
        return undefined
      }
    })
  )
  const rows = fs.readFileSync(`/proc/${pid}/net/tcp`, 'utf8').trim().split('\n').slice(1)
  const fields = rows.map((row) => row.trim().split(/\s+/))
  return fields
    .filter(([, , , state, , , , , , inode]) => state === '0A' && own.has(`socket:[${inode}]`))
    .map(([, local]) => Number.parseInt(local.split(':')[1], 16))
}

test('inherited sockets keep what they are, whatever number their descriptors get', async (t) => {
  const servers = [0, 1, 2].map(() => net.createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const places = servers.map((server) => ({ host: '127.0.0.1', port: server.address().port }))
  const primary = new Primary(t, {
    app: 'ports-app.js',
    options: OPTIONS,
    env: { LISTEN_FDS: '3', LISTEN_FDNAMES: 'one:two:three' },
    command: ['/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', process.execPath]],
    sockets: servers.map((server) => server._handle.fd)
  })
  await primary.ready
  for (const server of servers) server.close()
  for (let round = 0; round < 5; round++) {
    await killAll(primary)
    t.deepEqual(await Promise.all(places.map(numberAt)), [0, 1, 2])
    await allReady(primary)
  }
})

test('a spare that takes the slot of the last process serves at its path', async (t) => {
  const file = freePath(t)
  const primary = await startAt(t, [{ path: file }], { processes: 1, spare: 1 })
  await primary.event('spare', ({ to }) => to === 'ready')
  await killAll(primary)
  t.is(await numberAt({ path: file }), 0)
})

test('a process that leaves by a SIGTERM of its own takes no path along', async (t) => {
  const file = freePath(t)
  const primary = await startAt(t, [{ path: file }], { processes: 1 })
  const [{ pid }] = await primary.call('processes')
  kill(pid, 'SIGTERM')
  await primary.event('exit', (exit) => exit.pid === pid)
  t.is(await numberAt({ path: file }), 0)
})

test('sockets stay open while a lame duck serves, also when all processes die', async (t) => {
  const { primary, port } = await startPrimary(t, { options: { ...OPTIONS, lameDuckDelay: 3000 } })
  primary.child.kill('SIGTERM')
  await until(async () => (await primary.call('status')).state === 'stopping')
  await killAll(primary)
  t.is((await request(port)).status, 200)
  t.deepEqual(await primary.exited, { code: 0, signal: null })
  await t.throwsAsync(request(port), { code: 'ECONNREFUSED' })
})

test('a path that a killed program has left behind is bound anew; one that is answered is not', async (t) => {
  const file = freePath(t)
  const first = await startAt(t, [{ path: file }])
  const processes = await first.call('processes')
  first.child.kill('SIGKILL')
  await first.exited
  for (const { pid } of processes) kill(pid, 'SIGKILL')
  t.true(fs.existsSync(file))
  await startAt(t, [{ path: file }])
  t.is(await numberAt({ path: file }), 0)

  const { primary: third } = await startPrimary(t, {
    app: 'ports-app.js',
    env: { LISTEN: JSON.stringify([{ path: file }]) },
    options: { ...OPTIONS, bootAttempts: 1 },
    ready: false
  })
  t.is((await third.exited).code, 3)
  t.regex(third.output, /EADDRINUSE/)
  t.is(await numberAt({ path: file }), 0)
})

test('a path may be open to all', async (t) => {
  const file = freePath(t)
  await startAt(t, [{ path: file, readableAll: true, writableAll: true }])
  t.is(fs.statSync(file).mode & 0o666, 0o666)
})
