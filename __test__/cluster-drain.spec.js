'use strict'

const http = require('node:http')
const http2 = require('node:http2')
const https = require('node:https')
const net = require('node:net')
const { once } = require('node:events')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { startPrimary: start, freePort, request, startLoad, kill, until } = require('./cluster/harness')
const { readClusterOptions } = require('../lib/cluster/options')

const messages = (primary) => primary.events.filter(({ event }) => event === 'message').map(({ values }) => values[0])
const draining = (primary) => primary.event('state', ({ to }) => to === 'draining')

for (const keepAlive of [true, false]) {
  test(`a SIGTERM under load loses no request that was taken (${keepAlive ? 'kept-alive' : 'new'} connections)`, async (t) => {
    const { primary, port } = await start(t, { options: { processes: 2 } })
    const load = startLoad(port, { keepAlive, clients: 8 })
    await until(() => load.sent >= 200)
    primary.child.kill('SIGTERM')
    t.deepEqual(await primary.exited, { code: 0, signal: null })
    const { sent, failures } = await load.stop()
    const [, counted] = /counted (\d+)/.exec(primary.output)
    t.is(sent - failures.length, Number(counted), 'as many answers as requests that a process had begun')
    if (keepAlive)
      t.deepEqual(
        failures.filter((failure) => failure !== 'ECONNREFUSED'),
        []
      )
  })
}

test('requests in flight are answered, each with "connection: close", and idle connections end', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 1, drainIdle: 300 } })
  const agent = new http.Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  await request(port, '/', { agent })
  const slow = request(port, '/slow', { agent })
  const idle = net.connect(port, '127.0.0.1').on('error', () => {})
  await once(idle, 'connect')
  const ended = once(idle, 'close')
  await request(port, '/')
  primary.child.kill('SIGTERM')
  const { body, headers } = await slow
  t.is(body, 'slow')
  t.is(headers.connection, 'close')
  await ended
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

test('a lame duck says that it will end, and serves for a while yet', async (t) => {
  const metricsPort = await freePort()
  const { primary, port } = await start(t, { options: { processes: 2, lameDuckDelay: 1500, metricsPort } })
  t.is((await request(metricsPort, '/ready')).status, 200)
  t.false(JSON.parse((await request(port)).body).stopping)
  primary.child.kill('SIGTERM')
  await until(async () => (await request(metricsPort, '/ready')).status === 503)
  await until(async () => JSON.parse((await request(port)).body).stopping)
  t.deepEqual(await primary.exited, { code: 0, signal: null })
  await t.throwsAsync(request(port), { code: 'ECONNREFUSED' })
})

test('tasks of pools are finished before a process ends', async (t) => {
  const { primary } = await start(t, { app: 'busy-app.js', options: { processes: 1 } })
  const busy = primary.call('request', 0, { ms: 1500, size: 3_000_000 }, { timeout: 40_000 })
  await until(async () => (await primary.call('status')).processes[0].pool.running > 0)
  primary.child.kill('SIGTERM')
  t.true((await busy).tasks > 0)
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

test('requests of the primary are answered before a process ends', async (t) => {
  const { primary } = await start(t, { options: { processes: 1 } })
  const answer = primary.call('request', 0, { late: true }, { timeout: 40_000 })
  await primary.event('message')
  primary.child.kill('SIGTERM')
  t.is(await answer, 'late')
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

test('a request that never ends is cut when the grace is over, and the exit code says so', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 1, grace: 600 } })
  const failed = t.throwsAsync(request(port, '/hang'))
  await request(port, '/')
  primary.child.kill('SIGTERM')
  await failed
  t.deepEqual(await primary.exited, { code: 143, signal: null })
})

test('a blocked process is killed, but only when the grace is over', async (t) => {
  const grace = 600
  const { primary, port } = await start(t, { options: { processes: 1, grace } })
  const { pid } = JSON.parse((await request(port)).body)
  await request(port, '/block-later')
  await primary.blocked(pid)
  const begin = performance.now()
  primary.child.kill('SIGTERM')
  const [{ cause }] = await primary.event('exit')
  t.true(performance.now() - begin >= grace)
  t.deepEqual(await primary.exited, { code: 143, signal: null })
  const order = primary.events.filter(({ event, values }) => event === 'exit' || values[0]?.to === 'draining')
  t.deepEqual(
    order.map(({ event }) => event),
    ['state', 'exit']
  )
  t.deepEqual([cause.kind, cause.signal, cause.planned, cause.forced], ['stop', 'SIGKILL', true, true])
  t.regex(cause.message, /killed, as it had not ended within its grace of 600 ms/)
})

test('the grace is ten seconds where nothing else is said', (t) => {
  t.is(readClusterOptions({}).grace, 10_000)
})

test('server-sent events go on while their process drains, until they end by themselves', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 1 } })
  const [{ pid }] = await primary.call('processes')
  const events = await subscribe(port)
  primary.child.kill('SIGTERM')
  await draining(primary)
  await t.throwsAsync(refused(port), { code: 'ECONNREFUSED' })
  await events.next()
  kill(pid, 'SIGUSR2')
  t.is(await events.end, 'data: last\n\n')
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

test('server-sent events go on through a reload, while the new process serves', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 1 } })
  const [{ pid }] = await primary.call('processes')
  const events = await subscribe(port)
  const reload = primary.call('reload')
  await until(async () => JSON.parse((await request(port)).body).pid !== pid)
  t.is(await events.next(), `data: ${pid}\n\n`)
  kill(pid, 'SIGUSR2')
  t.is(await events.end, 'data: last\n\n')
  const { replaced, forced } = await reload
  t.deepEqual([replaced, forced], [1, 0])
})

test('server-sent events that never end are cut by a reload when the grace is over, while the new process serves', async (t) => {
  const grace = 5000
  const { primary, port } = await start(t, { options: { processes: 1, grace } })
  const [{ pid }] = await primary.call('processes')
  const events = await subscribe(port)
  const begin = performance.now()
  const cut = t.throwsAsync(events.end, { code: 'ECONNRESET' }).then(() => performance.now())
  const reload = primary.call('reload')
  await until(async () => JSON.parse((await request(port)).body).pid !== pid)
  t.is(await events.next(), `data: ${pid}\n\n`, 'not cut yet')
  t.true((await cut) - begin >= grace * 0.9)
  const { replaced, forced } = await reload
  t.deepEqual([replaced, forced], [1, 1])
  t.not(JSON.parse((await request(port)).body).pid, pid)
})

/** Opens a stream of events; `next()` waits for one, `end` for the last, or rejects when the stream is cut. */
async function subscribe(port) {
  const [response] = await once(http.get({ port, path: '/events', agent: false }), 'response')
  response.setEncoding('utf8')
  let last = ''
  response.on('data', (text) => {
    last = text
  })
  const end = once(response, 'end').then(() => last)
  end.catch(() => {})
  const next = async () => (await once(response, 'data'))[0]
  await next()
  return { next, end }
}

/** Asks until it is refused: what was accepted before the drain is answered. */
async function refused(port) {
  for (;;) await request(port)
}

test('a second signal ends everything at once', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 2 } })
  request(port, '/hang').catch(() => {})
  await until(async () => (await primary.call('status')).processes.some(({ inFlight }) => inFlight === 1))
  primary.child.kill('SIGINT')
  await draining(primary)
  // What comes at once is the same Ctrl-C.
  const again = setInterval(() => primary.child.kill('SIGINT'), 20)
  t.deepEqual(await primary.exited, { code: 130, signal: null })
  clearInterval(again)
})

test('Ctrl-C in a terminal reaches all processes, and they leave only when the primary says so', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 2 } })
  const slow = request(port, '/slow')
  await request(port, '/')
  for (const { pid } of await primary.call('processes')) kill(pid, 'SIGINT')
  primary.child.kill('SIGINT')
  t.is((await slow).body, 'slow')
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

test('a SIGTERM to one process drains it, and another takes its slot', async (t) => {
  const { primary, port } = await start(t, { options: { processes: 1 } })
  const [{ pid }] = await primary.call('processes')
  const slow = request(port, '/slow')
  await request(port, '/')
  kill(pid, 'SIGTERM')
  t.is((await slow).body, 'slow')
  const [{ cause }] = await primary.event('exit', (exit) => exit.pid === pid)
  t.true(cause.planned)
  t.is(cause.code, 0)
  await primary.event('state', ({ to, pid: now }) => to === 'ready' && now !== pid)
  t.is((await primary.call('status')).processes[0].restarts, 0)
})

test('every kind of server is drained by itself', async (t) => {
  const { primary, port } = await start(t, { app: 'servers-app.js', options: { processes: 1, drainIdle: 200 } })

  const socket = net.connect(port, '127.0.0.1')
  socket.write(
    'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
  )
  await once(socket, 'data')
  const [web, tls, plain2, secure2, raw] = [
    request(port),
    new Promise((resolve, reject) =>
      https.get({ port: port + 1, rejectUnauthorized: false, agent: false }, resolve).on('error', reject)
    ),
    stream(`http://127.0.0.1:${port + 2}`),
    stream(`https://127.0.0.1:${port + 3}`),
    once(net.connect(port + 4, '127.0.0.1'), 'data')
  ]
  await until(() => messages(primary).length === 5)
  const frame = once(socket, 'data')
  primary.child.kill('SIGTERM')
  const [bytes] = await frame
  t.is(bytes.toString('hex'), '880203e9', 'a close frame, 1001')
  socket.write(Buffer.from('888200000000', 'hex'))
  t.is((await web).body, 'late')
  t.is((await tls).statusCode, 200)
  t.deepEqual(await plain2, { body: 'late', goaway: true })
  t.deepEqual(await secure2, { body: 'late', goaway: true })
  t.is(String((await raw)[0]), 'late')
  t.deepEqual(await primary.exited, { code: 0, signal: null })
  t.deepEqual(messages(primary).slice(5), ['signal', 'hook 2', 'hook 1'])
})

/** One HTTP/2 request whose client keeps the session open: the server must end it. */
async function stream(origin) {
  const session = http2.connect(origin, { rejectUnauthorized: false })
  let goaway = false
  session.on('goaway', () => {
    goaway = true
  })
  const closed = once(session, 'close')
  let body = ''
  session
    .request({ ':path': '/' })
    .setEncoding('utf8')
    .on('data', (chunk) => {
      body += chunk
    })
  await closed
  return { body, goaway }
}

for (const [hook, code] of [
  ['hangs', 143],
  ['is limited', 143],
  ['throws', 0]
]) {
  test(`a hook that ${hook} does not keep the others, nor the process, from ending`, async (t) => {
    const { primary } = await start(t, {
      app: 'servers-app.js',
      env: { HOOK: hook },
      options: { processes: 1, grace: 700 }
    })
    primary.child.kill('SIGTERM')
    t.is((await primary.exited).code, code)
    const said = messages(primary)
    t.true(said.includes('signal'))
    if (hook === 'throws') t.regex(primary.output, /thrown by a hook/)
    if (hook !== 'hangs') t.deepEqual(said.slice(-2), ['hook 2', 'hook 1'])
  })
}

test('a signal through a shell that waits for it ends the same way', async (t) => {
  const { primary, port } = await start(t, {
    options: { processes: 2 },
    command: ['/bin/sh', ['-c', '"$0" "$@"; exit $?', process.execPath]]
  })
  const pid = JSON.parse((await request(port)).body).pid
  const parent = Number(require('node:fs').readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1])
  kill(parent, 'SIGTERM')
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})
