'use strict'

// socket.io as applications use it: beside express, over TLS, twice on a server, with cookies, over all transports.

const crypto = require('node:crypto')
const http = require('node:http')
const https = require('node:https')
const { once } = require('node:events')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { io } = require('socket.io-client')
const { gone, kill, startPrimary } = require('./cluster/harness')
const { ask } = require('./cluster/sessions')

const TRANSPORTS = [['polling'], ['polling', 'websocket'], ['websocket']]

async function start(t, sticky, options = {}) {
  const started = await startPrimary(t, { app: 'setups-app.js', options: { processes: 2, sticky, ...options } })
  const { port } = started
  const connect = async ({ secure = false, ...options } = {}) => {
    const socket = io(`http${secure ? 's' : ''}://127.0.0.1:${port + Number(secure)}`, {
      forceNew: true,
      rejectUnauthorized: false,
      reconnectionDelay: 20,
      reconnectionDelayMax: 200,
      ...options
    })
    t.teardown(() => socket.close())
    socket.errors = []
    socket.on('connect_error', ({ message, context }) => socket.errors.push(context?.responseText ?? message))
    await once(socket, 'connect')
    return socket
  }
  return { ...started, connect }
}

/** Asks until there is an answer: a connection that has just ended may not have told its socket yet. */
async function ack(socket, ...args) {
  for (;;)
    try {
      return await socket.timeout(60_000).emitWithAck(...args)
    } catch {}
}

const refusals = ({ events }) => events.filter(({ event, values }) => event === 'message' && values[0].refused)

/** Uses a session for a while: it stays with its process. */
async function use(t, socket, name, secure) {
  const first = await ack(socket, 'where')
  t.is(first.name, name)
  t.is(first.secure, secure)
  for (let round = 0; round < 2; round++) {
    const bytes = crypto.randomBytes(400_000)
    t.true(bytes.equals(await ack(socket, 'echo', bytes)))
    t.deepEqual(await ack(socket, 'where'), first)
  }
}

const FORMS = {
  'socket.io': 'socket.io',
  'a cookie': { cookie: 'app' },
  "socket.io's own cookie": { cookie: 'io' },
  'a parameter': { query: 'session' },
  'a function': 'byHeader'
}

for (const [form, sticky] of Object.entries(FORMS)) {
  test(`with sessions by ${form}, clients over HTTP and HTTPS keep theirs, over all transports and a reload`, async (t) => {
    const { primary, connect } = await start(t, sticky, { grace: 6000 })
    const clients = []
    for (const secure of [false, true]) {
      const { Agent } = secure ? https : http
      const agent = new Agent({ keepAlive: true, maxSockets: 20, rejectUnauthorized: false })
      t.teardown(() => agent.destroy())
      for (const name of ['one', 'two']) {
        for (const transports of TRANSPORTS) {
          const path = name === 'one' ? undefined : '/deep/two'
          const socket = await connect({ secure, transports, path, agent, withCredentials: true })
          clients.push({ name, secure, socket })
        }
      }
    }
    await Promise.all(clients.map(({ socket, name, secure }) => use(t, socket, name, secure)))
    for (const { socket } of clients) t.deepEqual(socket.errors, [])
    const [{ generation }] = await primary.call('processes')
    const reload = primary.call('reload')
    const moves = clients.map(async ({ socket }) => {
      do {
        const bytes = crypto.randomBytes(100_000)
        t.true(bytes.equals(await ack(socket, 'echo', bytes)))
      } while ((await ack(socket, 'where')).generation === generation)
    })
    await Promise.all(moves)
    await reload
    t.deepEqual(refusals(primary), [])
  })
}

test('a client whose cookie names a process that has gone has a session of socket.io all the same', async (t) => {
  const { primary, port, connect } = await start(t, { cookie: 'app' }, { processes: 3, backoff: { initial: 60_000 } })
  let lost
  while (lost?.slot !== 1) {
    const { body, headers } = await ask(port, '/count')
    lost = { ...JSON.parse(body), cookie: headers['set-cookie'][0].split(';')[0] }
  }
  const extraHeaders = { cookie: lost.cookie }
  const kept = JSON.parse((await ask(port, '/count', { headers: extraHeaders })).body)
  t.deepEqual([kept.slot, kept.count], [1, 2])
  const [, { pid }] = await primary.call('processes')
  kill(pid, 'SIGKILL')
  await gone(pid)
  for (let client = 0; client < 4; client++) {
    const socket = await connect({ transports: ['polling'], extraHeaders })
    await use(t, socket, 'one', false)
    t.deepEqual(socket.errors, [])
  }
  t.deepEqual(refusals(primary), [])
})

test('a client whose cookie names a session of socket.io that has ended gets a new one', async (t) => {
  const { connect, port } = await start(t, { cookie: 'io' })
  const url = '/socket.io/?EIO=4&transport=polling'
  const { headers } = await ask(port, url)
  const extraHeaders = { cookie: headers['set-cookie'].find((text) => text.startsWith('io=')).split(';')[0] }
  await ask(port, `${url}&sid=${extraHeaders.cookie.slice(3)}`, { method: 'POST', body: '1' })
  await use(t, await connect({ transports: ['polling'], extraHeaders }), 'one', false)
})

test('uploads through express arrive in full, in chunks and in one piece, whichever process gets them first', async (t) => {
  const { port } = await start(t, { cookie: 'app' })
  const cookies = []
  while (Object.keys(cookies).length < 2) {
    const { body, headers } = await ask(port, '/count')
    cookies[JSON.parse(body).slot] = headers['set-cookie'][0].split(';')[0]
  }
  const bytes = crypto.randomBytes(3_000_000)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  for (const [slot, cookie] of cookies.entries()) {
    for (const headers of [
      { cookie },
      { cookie, 'content-length': bytes.length },
      { cookie, expect: '100-continue' }
    ]) {
      const options = { agent, method: 'POST', headers }
      const body = (request) => {
        if (headers.expect) request.on('continue', () => request.end(bytes)).flushHeaders()
        else request.end(bytes)
      }
      const answer = JSON.parse((await ask(port, '/length', { ...options, body })).body)
      t.deepEqual(answer, { slot, length: bytes.length })
    }
  }
})
