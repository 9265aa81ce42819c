'use strict'

const dgram = require('node:dgram')
const http = require('node:http')
const http2 = require('node:http2')
const https = require('node:https')
const net = require('node:net')
const { once } = require('node:events')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { WebSocket } = require('ws')
const { startPrimary, until } = require('./cluster/harness')

const start = (t, kind, options, env) =>
  startPrimary(t, {
    app: 'connections-app.js',
    env: { KIND: kind, ...env },
    options: { processes: 1, drainIdle: 500, ...options }
  })

/** Clients that ask again and again on kept connections; gives the failures. */
function keepAsking(port, secure = false) {
  const { Agent, get } = secure ? https : http
  const agent = new Agent({ keepAlive: true, maxSockets: 6 })
  const failures = []
  let asking = true
  let answered = 0
  const ask = () =>
    new Promise((resolve, reject) => {
      const options = { port, host: '127.0.0.1', agent, rejectUnauthorized: false }
      get(options, (response) => {
        const own = response.headers['x-own']
        if (own !== '1, 2') reject(Object.assign(new Error('a header was changed'), { code: `x-own: ${own}` }))
        response.resume().on('end', resolve).on('error', reject)
      }).on('error', reject)
    })
  const clients = Array.from({ length: 6 }, async () => {
    while (asking) {
      try {
        await ask()
        answered++
      } catch (error) {
        failures.push(error.code)
      }
    }
  })
  return {
    get answered() {
      return answered
    },
    async stop() {
      asking = false
      await Promise.all(clients)
      agent.destroy()
      return failures
    }
  }
}

for (const kind of [
  'setHeader',
  'writeHead of an object',
  'writeHead of a list',
  'writeHead of pairs',
  'writeHead over setHeader',
  'a header that is removed',
  'http-proxy',
  'emit(connection)',
  'https'
]) {
  test(`a reload fails no request of an application that keeps its connections by all means (${kind})`, async (t) => {
    const target = http
      .createServer((_, response) => response.setHeader('x-own', '1, 2').end('ok'))
      .listen(0, '127.0.0.1')
    t.teardown(() => target.close())
    await once(target, 'listening')
    const { primary, port } = await start(t, kind, {}, { TARGET: `http://127.0.0.1:${target.address().port}` })
    const clients = keepAsking(port, kind === 'https')
    await until(() => clients.answered >= 30)
    const { forced } = await primary.call('reload')
    const { answered } = clients
    await until(() => clients.answered >= answered + 30)
    t.deepEqual(await clients.stop(), [])
    t.is(forced, 0)
  })
}

const PIPELINE = ['/1', '/2', '/3'].map((url) => `GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`).join('')

/** All that comes on a connection until it ends. */
async function readAll(socket) {
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'close')
  return text
}

function connect(port) {
  return net.connect(port, '127.0.0.1')
}

const kept = (text) => text.match(/^connection: \S+/gim)?.map((line) => line.split(' ')[1])

test('pipelined requests that were begun before a drain are all answered, and the last closes', async (t) => {
  const { primary, port } = await start(t, 'answers late')
  const socket = connect(port)
  const all = readAll(socket)
  socket.write(PIPELINE)
  await until(async () => (await primary.call('status')).processes[0].inFlight === 3)
  primary.child.kill('SIGTERM')
  const text = await all
  t.deepEqual(text.match(/^\/\d/gm), ['/1', '/2', '/3'])
  t.deepEqual(kept(text), ['keep-alive', 'keep-alive', 'close'])
  t.is((await primary.exited).code, 0)
})

test('pipelined requests that come in a drain are all answered', async (t) => {
  const { primary, port } = await start(t, 'answers at once in a drain', { drainIdle: 3000 })
  const [first, second] = [connect(port), connect(port)]
  await Promise.all([once(first, 'connect'), once(second, 'connect')])
  const answers = readAll(second)
  first.write('GET /0 HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(async () => (await primary.call('status')).processes[0].inFlight === 1)
  primary.child.kill('SIGTERM')
  await primary.event('state', ({ to }) => to === 'draining')
  second.write(PIPELINE)
  const text = await answers
  t.deepEqual(text.match(/^\/\d/gm), ['/1', '/2', '/3'])
  t.deepEqual(kept(text), ['keep-alive', 'keep-alive', 'close'])
  first.destroy()
  t.is((await primary.exited).code, 0)
})

test('a WebSocket whose upgrade is under way when a drain begins is opened, and then closed with 1001', async (t) => {
  const { primary, port } = await start(t, 'ws')
  const client = new WebSocket(`ws://127.0.0.1:${port}/slow`)
  const message = once(client, 'message')
  const closed = once(client, 'close')
  await primary.event('message')
  primary.child.kill('SIGTERM')
  t.is(String((await message)[0]), 'hello')
  t.is((await closed)[0], 1001)
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

test('a WebSocket that is opened in a drain is closed with 1001', async (t) => {
  const { primary, port } = await start(t, 'ws', { drainIdle: 3000 })
  const agent = new http.Agent({ keepAlive: true })
  const socket = connect(port)
  await once(socket, 'connect')
  http.get({ port, host: '127.0.0.1', agent: false }).on('error', () => {})
  await until(async () => (await primary.call('status')).processes[0].inFlight === 1)
  primary.child.kill('SIGTERM')
  await primary.event('state', ({ to }) => to === 'draining')
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { createConnection: () => socket })
  const message = once(client, 'message')
  const closed = once(client, 'close')
  t.is(String((await message)[0]), 'hello')
  t.is((await closed)[0], 1001)
  agent.destroy()
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

for (const head of [
  'CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'
]) {
  test(`a tunnel in which bytes flow is no idle connection (${head.split(' ')[0]})`, async (t) => {
    const { primary, port } = await start(t, 'tunnels')
    const socket = connect(port)
    const all = readAll(socket)
    socket.write(head)
    await once(socket, 'data')
    primary.child.kill('SIGTERM')
    t.regex(await all, /14 done$/)
    t.deepEqual(await primary.exited, { code: 0, signal: null })
  })
}

for (const [kind, protocol] of [
  ['http2', 'http'],
  ['http2 over TLS', 'https']
]) {
  test(`reloads fail no request of HTTP/2 clients that ask as soon as they are answered (${kind})`, async (t) => {
    // The client has the time that it needs on a busy machine.
    const { primary, port } = await start(t, kind, { processes: 2, grace: 40_000, drainIdle: 40_000 })
    const failures = []
    let asking = true
    let answered = 0
    const connectAgain = () =>
      http2
        .connect(`${protocol}://127.0.0.1:${port}`, { rejectUnauthorized: false })
        .on('error', (error) => failures.push(error.code))
    const ask = (session) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': '/at-once' })
        stream.resume().on('end', resolve).on('error', reject)
      })
    const clients = [1, 2, 3].map(async () => {
      let session
      const loop = async () => {
        while (asking) {
          if (session === undefined || session.closed || session.destroyed) session = connectAgain()
          try {
            await ask(session)
            answered++
          } catch (error) {
            failures.push(error.code)
          }
        }
      }
      await Promise.all(Array.from({ length: 12 }, loop))
      session.close()
    })
    for (let round = 0; round < 3; round++) {
      const before = answered
      await until(() => answered >= before + 60)
      t.is((await primary.call('reload')).forced, 0)
    }
    asking = false
    await Promise.all(clients)
    t.deepEqual(failures, [])
  })
}

test('server errors of HTTP/2 are counted', async (t) => {
  const { primary, port } = await start(t, 'http2', {}, { STATUS: '503' })
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const stream = session.request({ ':path': '/' }).resume()
  await once(stream, 'close')
  await until(async () => (await primary.call('status')).processes[0].inFlight === 0)
  const { requests, errors } = (await primary.call('status')).processes[0]
  t.deepEqual([requests, errors], [1, 1])
  t.regex(await primary.call('metrics'), /^rspool_http_errors_total\{slot="0"\} 1$/m)
  session.close()
})

test('no datagram is handled when the hooks of a drain have begun', async (t) => {
  const { primary, port } = await start(t, 'udp')
  const client = dgram.createSocket('udp4')
  t.teardown(() => client.close())
  const answers = []
  client.on('message', (message) => answers.push(String(message)))
  const timer = setInterval(() => client.send('x', port, '127.0.0.1'), 5)
  t.teardown(() => clearInterval(timer))
  await until(() => answers.length >= 10)
  await primary.call('reload')
  const before = answers.length
  await until(() => answers.length >= before + 10)
  t.deepEqual([...new Set(answers)], ['ok'])
})

test('an idle connection that is closed at the end of the grace is no cut work', async (t) => {
  const { primary, port } = await start(t, 'answers late', { grace: 1000, drainIdle: 900 })
  const agent = new http.Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const answer = new Promise((resolve, reject) => {
    http.get({ port, host: '127.0.0.1', agent }, (response) => response.resume().on('end', resolve)).on('error', reject)
  })
  const idle = connect(port)
  idle.on('error', () => {})
  await until(async () => (await primary.call('status')).processes[0].inFlight === 1)
  primary.child.kill('SIGTERM')
  await answer
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

test('a client that sends its request byte by byte holds up no drain for its whole grace', async (t) => {
  const grace = 60_000
  const { primary, port } = await start(t, 'answers late', { grace })
  const socket = connect(port)
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nX-')
  const timer = setInterval(() => socket.write('X'), 50)
  socket.on('close', () => clearInterval(timer))
  await until(async () => (await primary.call('status')).processes[0].connections === 1)
  primary.child.kill('SIGTERM')
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})
