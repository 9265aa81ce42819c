'use strict'

const diagnostics = require('node:diagnostics_channel')
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { once } = require('node:events')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { Mailbox } = require('../lib/cluster/messages')
const { announce } = require('../lib/cluster/primary/announce')
const { Primary, startPrimary, request, kill, until } = require('./cluster/harness')

const start = (t, options) => startPrimary(t, { options })

test('requests are answered by the process of the slot, with values that only a structured clone keeps', async (t) => {
  const { primary } = await start(t, { processes: 2 })
  const value = { when: new Date(0), bytes: new Uint8Array([1, 2]), set: new Set([1]), big: 10n }
  t.deepEqual(await primary.call('request', 1, value), { slot: 1, got: value })
  await t.throwsAsync(primary.call('request', 0, { fail: true }), {
    message: 'refused',
    code: 'E_TEST',
    name: 'TypeError'
  })
  await t.throwsAsync(primary.call('request', 5, 1), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  await t.throwsAsync(primary.call('request', 0, 1, { timeOut: 1 }), {
    code: 'ERR_RSPOOL_INVALID_ARGUMENT',
    message: /Did you mean 'timeout'/
  })
})

test('a broadcast reaches every process, and what processes send reaches the supervisor', async (t) => {
  const { primary } = await start(t, { processes: 3 })
  t.is(await primary.call('broadcast', { hello: 1 }), 3)
  for (const slot of [0, 1, 2]) {
    const [message, info] = await primary.event('message', (message) => message.slot === slot)
    t.deepEqual(message, { slot, got: { hello: 1 } })
    t.is(info.slot, slot)
    t.true(info.pid > 0)
  }
  await primary.call('send', 1, 'only you')
  const [, { slot }] = await primary.event('message', (message) => message.got === 'only you')
  t.is(slot, 1)
})

test('a message that was sent just before the exit arrives', async (t) => {
  const { primary } = await start(t, { processes: 1 })
  await primary.call('send', 0, 'last words')
  await primary.event('message', (message) => message === 'last words')
  t.pass()
})

test('a request to a process that dies, or hangs, is rejected', async (t) => {
  const { primary, port } = await start(t, { processes: 1 })
  const [{ pid }] = await primary.call('processes')
  await request(port, '/block-later')
  await primary.blocked(pid)
  await t.throwsAsync(primary.call('request', 0, 1, { timeout: 100 }), { code: 'ERR_RSPOOL_REQUEST_TIMEOUT' })
  const rejected = t.throwsAsync(primary.call('request', 0, 1), { code: 'ERR_RSPOOL_PROCESS_EXIT' })
  kill(pid, 'SIGKILL')
  await rejected
})

test('ten messages of 10 MB arrive', async (t) => {
  const { primary } = await start(t, { processes: 1 })
  const bytes = new Uint8Array(10e6).fill(7)
  for (let n = 0; n < 10; n++) t.is((await primary.call('request', 0, bytes)).got.length, 10e6)
  t.deepEqual(
    primary.events.filter(({ event }) => event === 'exit'),
    []
  )
})

test('a mailbox whose other end does not read says so instead of growing', async (t) => {
  const box = new Mailbox(() => {})
  for (let n = 0; n < 10_000; n++) box.send(n)
  await t.throwsAsync(box.send('one more'), { code: 'ERR_RSPOOL_CHANNEL_FULL' })
  await t.throwsAsync(box.request('one more'), { code: 'ERR_RSPOOL_CHANNEL_FULL' })
})

test('a process that does not read has a limited number of bytes waiting for it', async (t) => {
  const { primary } = await start(t, { processes: 1, maxQueuedBytes: 1e6 })
  const [{ pid }] = await primary.call('processes')
  kill(pid, 'SIGSTOP')
  const { sent, code } = await primary.call('sendUntilRefused', 0, 200_000)
  t.is(code, 'ERR_RSPOOL_CHANNEL_FULL')
  t.true(sent >= 5 && sent < 30, `${sent} messages of 200 kB`)
  kill(pid, 'SIGCONT')
  const again = () => primary.call('request', 0, 'again').catch(({ code }) => ({ code }))
  await until(async () => (await again()).got === 'again')
})

for (const serialization of ['advanced', 'json']) {
  test(`what answers a request throws arrives whole (${serialization})`, async (t) => {
    const { primary } = await start(t, { processes: 1, serialization })
    const error = await primary.call('refusal', 0, { fail: true })
    t.deepEqual(error, {
      class: 'TypeError',
      name: 'TypeError',
      message: 'refused',
      code: 'E_TEST',
      status: 418,
      cause: { class: 'RangeError', message: 'why' },
      stack: true
    })
    // Errors that hold each other are too much for JSON.
    t.like(await primary.call('refusal', 0, { failInCircles: true }), { message: 'round', code: 'E_ROUND' })
  })
}

test('what cannot be cloned is a DataCloneError, wherever it comes from', async (t) => {
  const { primary } = await start(t, { processes: 1 })
  t.like(await primary.call('refusal', 0, { giveFunction: true }), { class: 'DOMException', name: 'DataCloneError' })
  t.like(await primary.call('refusalOfFunction', 0), { class: 'DOMException', name: 'DataCloneError' })
})

test('a time limit of a request may be longer than a timer of Node', async (t) => {
  const mailbox = new Mailbox((message, done) => {
    done(null)
    setTimeout(() => mailbox.receive({ kind: 'answer', id: message.id, body: 'late' }), 50)
  })
  t.is(await mailbox.request('hello', { timeout: 3e9 }), 'late')
})

test('a mailbox ignores what is no message, and refuses when nobody answers', async (t) => {
  const sent = []
  const box = new Mailbox((message, done) => {
    sent.push(message)
    done(null)
  })
  for (const wrong of [{}, { kind: 'answer', id: 9 }, { kind: 'refusal', id: 9 }, { kind: 'other' }]) box.receive(wrong)
  t.deepEqual(sent, [])
  box.receive({ kind: 'request', id: 1, body: 2 })
  await new Promise(setImmediate)
  t.is(sent[0].error.properties.code, 'ERR_RSPOOL_NO_HANDLER')
  t.throws(() => box.onMessage('no function'), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
})

test('events are published on diagnostics channels', (t) => {
  const { EventEmitter } = require('node:events')
  const seen = []
  const listener = (info) => seen.push(info)
  diagnostics.subscribe('rspool:cluster:state', listener)
  t.teardown(() => diagnostics.unsubscribe('rspool:cluster:state', listener))
  const emitter = new EventEmitter().on('state', (info) => seen.push(info))
  announce(emitter, 'state', { slot: 1 })
  t.deepEqual(seen, [{ slot: 1 }, { slot: 1 }])
})

// Node has no datagram sockets of this kind: a small reader prints what comes.
const hasReader = require('node:child_process').spawnSync('python3', ['-V']).status === 0

;(hasReader ? test : test.skip)('systemd is told of ready, reload and stop', async (t) => {
  const { spawn } = require('node:child_process')
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-')), 'notify')
  const reader = spawn(
    'python3',
    [
      '-u',
      '-c',
      `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound')
while True: print(s.recv(4096).decode().replace(chr(10), ' '))`,
      file
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  )
  t.teardown(() => reader.kill())
  let said = ''
  reader.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const heard = async (pattern) => {
    while (!pattern.test(said)) await once(reader.stdout, 'data')
  }
  await heard(/bound/)
  const { primary } = await startPrimary(t, {
    options: { processes: 1 },
    env: { NOTIFY_SOCKET: file, WATCHDOG_USEC: '100000' }
  })
  await heard(/READY=1 STATUS=1 processes MAINPID=\d+\n/)
  await heard(/WATCHDOG=1\n/)
  await primary.call('reload')
  await heard(/RELOADING=1 MONOTONIC_USEC=\d+\n(?:.*\n)*READY=1/)
  primary.child.kill('SIGTERM')
  await heard(/STOPPING=1\n/)
  t.is((await primary.exited).code, 0)
})

test('processes listen on sockets that systemd opened, and do so again when all had died', async (t) => {
  const server = net.createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address()
  const primary = new Primary(t, {
    app: 'socket-app.js',
    options: { processes: 1 },
    env: { LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' },
    command: ['/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', process.execPath]],
    sockets: [server._handle.fd]
  })
  await primary.ready
  server.close()
  t.is((await request(port)).body, 'web')
  const [{ pid }] = await primary.call('processes')
  kill(pid, 'SIGKILL')
  await primary.event('state', (state) => state.to === 'ready' && state.pid !== pid)
  t.is((await request(port)).body, 'web')
})
