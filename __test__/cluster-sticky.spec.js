'use strict'

// Requests and upgrades of a session come to the process that has it, whichever process their connection came to.

const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const http2 = require('node:http2')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const tls = require('node:tls')
const { once } = require('node:events')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { Ids } = require('../lib/cluster/sticky/ids')
const { startPrimary, kill, until, gone } = require('./cluster/harness')
const {
  start,
  ask,
  json,
  sessionOfEach,
  relayed,
  ANY,
  twice,
  answersOfBoth,
  raw,
  upgrade
} = require('./cluster/sessions')

test('each request of a session is answered by its process, also when many share a connection', async (t) => {
  const { port, agent } = await start(t, { processes: 3 })
  const ids = await sessionOfEach(port, 3)
  for (let round = 0; round < 20; round++) {
    const slot = round % 3
    t.is((await json(port, `/seen?session=${ids[slot]}`, { agent })).slot, slot)
  }
})

test('an application sees the same of a request that was relayed as of one that was not', async (t) => {
  const { port, agents } = await start(t)
  const ids = await sessionOfEach(port)
  for (const [at, agent] of [agents.http, agents.https].entries()) {
    const headers = [
      'Host',
      'a.example',
      'X-Mixed-Case',
      '1',
      'x-twice',
      '2',
      'x-twice',
      '3',
      'Connection',
      'keep-alive'
    ]
    const [one, two] = await answersOfBoth(port + at, ids, '/seen', { agent, headers, servername: 'a.example' })
    const [first, second] = [one, two].map(({ body }) => JSON.parse(body))
    t.deepEqual([first.slot, second.slot], [0, 1])
    t.true(first.remote[1] > 0 && first.local[1] === port + at)
    t.is(first.encrypted, at === 1)
    const told = ({ slot, pid, url, ...rest }) => rest
    t.deepEqual(told(second), told(first))
    const head = ({ status, message, raw }) => ({
      status,
      message,
      raw: raw.filter((_, n, all) => !/^(date|content-length)$/i.test(all[n - (n % 2)]))
    })
    t.deepEqual(head(two), head(one))
    t.is(one.message, 'Seen So')
    if (at === 1) t.truthy(first.certificate)
  }
})

test('bodies of all kinds arrive bit for bit, both ways, with their trailers', async (t) => {
  const { port, agents } = await start(t)
  const ids = await sessionOfEach(port)
  const bytes = crypto.randomBytes(2 ** 20)
  const hash = crypto.createHash('sha256').update(bytes).digest('hex')
  for (const [at, agent] of [agents.http, agents.https].entries()) {
    const chunked = (request) => {
      request.setHeader('trailer', 'x-trailer')
      for (let from = 0; from < bytes.length; from += 10_007) request.write(bytes.subarray(from, from + 10_007))
      request.addTrailers({ 'x-trailer': 'end' })
      request.end()
    }
    for (const answer of await answersOfBoth(port + at, ids, '/echo', { agent, method: 'POST', body: chunked })) {
      t.true(answer.body.equals(bytes))
      t.is(answer.trailers['x-hash'], hash)
      t.is(answer.trailers['x-trailer'], 'end')
    }
    const headers = { 'content-length': bytes.length, 'x-length': bytes.length }
    for (const answer of await answersOfBoth(port + at, ids, '/echo', { agent, method: 'PUT', body: bytes, headers })) {
      t.true(answer.body.equals(bytes))
      t.is(answer.headers['content-length'], String(bytes.length))
    }
  }
})

test('requests and answers without a body have none when they are relayed', async (t) => {
  const { port, agent } = await start(t)
  const ids = await sessionOfEach(port)
  const told = ({ status, raw, body }) => ({
    status,
    raw: raw.filter((_, n, all) => all[n - (n % 2)] !== 'Date'),
    body
  })
  for (const [method, url] of [
    ['HEAD', '/seen'],
    ['GET', '/nothing'],
    ['DELETE', '/nothing'],
    ['GET', '/bare']
  ]) {
    const [one, two] = await answersOfBoth(port, ids, url, { agent, method })
    const length = (answer) => JSON.parse(JSON.stringify(told(answer)).replace(/"content-length","\d+"/i, ''))
    if (url !== '/seen') t.deepEqual(length(two), length(one), `${method} ${url}`)
    t.is(two.status, one.status)
  }
  // A POST that says nothing of a body has none.
  const post = ['Host', 'x', 'Connection', 'keep-alive']
  for (const id of twice(ids)) {
    const text = await raw(port, `${ANY}POST /seen?session=${id} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    t.deepEqual(JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)).rawHeaders, [
      ...post.slice(0, 3),
      'close'
    ])
  }
})

test('what was sent in one go is answered in its order', async (t) => {
  const { port } = await start(t)
  const ids = await sessionOfEach(port)
  const order = [0, 1, 1, 0, 1, 0]
  const requests = order.map((slot, at) => {
    const last = at === order.length - 1 ? 'Connection: close\r\n' : ''
    return `POST /echo?session=${ids[slot]} HTTP/1.1\r\nHost: x\r\n${last}Content-Length: 8\r\n\r\nbody no${at}`
  })
  const text = await raw(port, requests.join(''))
  t.deepEqual(text.match(/body no\d/g), ['body no0', 'body no1', 'body no2', 'body no3', 'body no4', 'body no5'])
})

test('a client of HTTP/1.0 is answered as it is used to', async (t) => {
  const { port } = await start(t)
  for (const id of twice(await sessionOfEach(port))) {
    const text = await raw(port, `${ANY}GET /seen?session=${id} HTTP/1.0\r\n\r\n`)
    t.notRegex(text, /transfer-encoding/i)
    t.regex(text, /connection: close/i)
    t.is(JSON.parse(text.slice(text.indexOf('{'))).method, 'GET')
  }
  for (const id of twice(await sessionOfEach(port))) {
    const echo = await raw(port, `${ANY}POST /echo?session=${id} HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello`)
    t.regex(echo, /\r\n\r\nhello$/)
  }
})

test('a client that asks whether it may send its body hears that from the right process', async (t) => {
  const { port, agent } = await start(t)
  for (const id of await sessionOfEach(port)) {
    const options = { agent, method: 'POST', headers: { expect: '100-continue' } }
    const body = (request) => request.on('continue', () => request.end('sent')).flushHeaders()
    t.is(String((await ask(port, `/echo?session=${id}`, { ...options, body })).body), 'sent')
    const headers = { ...options.headers, 'x-refuse': '1' }
    const body417 = (request) => request.flushHeaders()
    const refused = await ask(port, `/echo?session=${id}`, { ...options, headers, body: body417 })
    t.is(refused.status, 417)
  }
})

test('the head of an answer comes before its body is there', async (t) => {
  const { port, agent } = await start(t)
  for (const id of await sessionOfEach(port)) {
    const asked = http.request({ port, path: `/head-first?session=${id}`, method: 'POST', agent })
    asked.flushHeaders()
    const [response] = await once(asked, 'response')
    asked.end('now')
    t.is(await response.setEncoding('utf8').reduce((all, text) => all + text, ''), 'rest')
  }
})

test('a client that gives up is gone for the process that has its request, too', async (t) => {
  const { primary, port } = await start(t)
  const ids = await sessionOfEach(port)
  for (const slot of [0, 1, 1, 0]) {
    const from = primary.events.length
    const socket = net.connect(port, '127.0.0.1')
    socket.write(`${ANY}GET /hang?session=${ids[slot]} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await primary.event('message', (message) => message.hangs === slot, from)
    socket.destroy()
    await primary.event('message', (message) => message.closed === slot, from)
  }
  t.is(await relayed(primary), 2)
})

test('requests over HTTP/2 are relayed, where the server takes HTTP/1.1 as well', async (t) => {
  const { port } = await start(t)
  const ids = await sessionOfEach(port)
  const session = http2.connect(`https://127.0.0.1:${port + 2}`, { rejectUnauthorized: false })
  t.teardown(() => session.destroy())
  const bytes = crypto.randomBytes(100_000)
  for (const [slot, id] of ids.entries()) {
    const stream = session.request({ ':method': 'POST', ':path': `/echo?session=${id}`, cookie: 'a=b' })
    stream.end(bytes)
    const chunks = await stream.toArray()
    t.true(Buffer.concat(chunks).equals(bytes))
    const seen = session.request({ ':path': `/seen?session=${id}` })
    const [headers] = await once(seen, 'response')
    t.is(headers[':status'], 201)
    t.deepEqual(headers['set-cookie'], ['one=1', 'two=2'])
    t.is(JSON.parse(await seen.setEncoding('utf8').reduce((all, text) => all + text, '')).slot, slot)
  }
})

test('the socket of an upgrade goes to the process that has the session, and TLS is passed through', async (t) => {
  const { primary, port } = await start(t)
  const ids = await sessionOfEach(port)
  for (const [at, connect] of [net.connect, tls.connect].entries()) {
    for (const slot of [0, 1, 1, 0]) {
      const socket = connect({ port: port + at, host: '127.0.0.1', rejectUnauthorized: false })
      await once(socket, at === 0 ? 'connect' : 'secureConnect')
      socket.write(ANY)
      const { seen, heard } = await upgrade(socket, `/up?session=${ids[slot]}`, 'early')
      t.is(seen.slot, slot)
      t.deepEqual(seen.remote, ['127.0.0.1', socket.localPort, 'IPv4'])
      t.is(seen.encrypted, at === 1)
      socket.write(', and late')
      await until(() => heard() === 'early, and late')
      socket.end()
      await once(socket, 'close')
    }
  }
  t.is(await relayed(primary), 4)
})

test('a fresh connection comes to the process of its session at once', async (t) => {
  const { primary, port } = await start(t, { processes: 3 })
  const ids = await sessionOfEach(port, 3)
  for (let round = 0; round < 30; round++) {
    const slot = round % 3
    t.is((await json(port, `/seen?session=${ids[slot]}`)).slot, slot)
    const socket = net.connect(port, '127.0.0.1')
    t.is((await upgrade(socket, `/up?session=${ids[slot]}`)).seen.slot, slot)
    socket.destroy()
  }
  t.is(await relayed(primary), 0)
})

test('a fresh connection that does not say at once what it wants comes to any process, and holds up none', async (t) => {
  const { port } = await start(t)
  const ids = await sessionOfEach(port)
  const silent = Array.from({ length: 50 }, () => net.connect(port, '127.0.0.1'))
  t.teardown(() => {
    for (const socket of silent) socket.destroy()
  })
  for (const [slot, id] of ids.entries()) t.is((await json(port, `/seen?session=${id}`)).slot, slot)
  // Each says it in pieces.
  const text = `GET /seen?session=${ids[1]} HTTP/1.1\r\nHost: x\r\n\r\n`
  const answers = silent.map(async (socket) => {
    for (let at = 0; at < text.length; at += 20) {
      socket.write(text.slice(at, at + 20))
      await new Promise(setImmediate)
    }
    let all = ''
    for await (const chunk of socket.setEncoding('latin1')) {
      all += chunk
      if (all.includes('}')) break
    }
    return JSON.parse(all.slice(all.indexOf('{'), all.lastIndexOf('}') + 1)).slot
  })
  t.deepEqual([...new Set(await Promise.all(answers))], [1])
})

test('ids that this cluster has not made belong to no session', async (t) => {
  const { primary, port, agent } = await start(t)
  const [, id] = await sessionOfEach(port)
  const forged = [
    new Ids('another key').make({ slot: 1, generation: 1 }),
    id.replace('.1.1.', '.0.1.'),
    id.replace('.1.1.', '.9999.1.'),
    id.replace('.1.1.', '.1.9999.'),
    id.slice(0, -1),
    `${id}x`,
    'x',
    `${'a'.repeat(20)}.${'1'.repeat(100)}.1.aaaaaaaa`,
    'a'.repeat(10_000),
    `${'a.'.repeat(5000)}`,
    '../'.repeat(3000),
    '%E0%A4%A'
  ]
  const { slot } = await json(port, '/seen', { agent })
  for (const session of forged) t.is((await json(port, `/seen?session=${session}`, { agent })).slot, slot)
  t.is(await relayed(primary), 0)
})

test('the id may be in a cookie, signed by the application as well, or where a function finds it', async (t) => {
  const cookie = await start(t, { sticky: { cookie: 'sid' } })
  for (const [slot, id] of (await sessionOfEach(cookie.port)).entries()) {
    for (const value of [id, encodeURIComponent(`s:${id}.c2lnbmVk+/`)]) {
      const headers = { cookie: `a=b; sid=${value}; c=d` }
      t.is((await json(cookie.port, '/seen', { agent: cookie.agent, headers })).slot, slot)
    }
  }
  const own = await start(t, { sticky: 'byHeader' })
  for (const [slot, id] of (await sessionOfEach(own.port)).entries())
    t.is((await json(own.port, '/seen', { agent: own.agent, headers: { 'x-session': id } })).slot, slot)
})

test('a generation that drains serves its sessions as long as it lives, and then others do', async (t) => {
  const { primary, port, agent, pids } = await start(t, { grace: 20_000 })
  const ids = await sessionOfEach(port)
  const old = await pids()
  const [pid] = old
  // One that has not ended keeps the old process.
  const slow = ask(port, `/slow?session=${ids[0]}`).catch((error) => error)
  await primary.event('message', (message) => message.slow === 0)
  const reload = primary.call('reload')
  await until(async () => (await pids()).every((now) => !old.includes(now)))
  const seen = await json(port, `/seen?session=${ids[0]}`)
  t.deepEqual([seen.slot, seen.generation, seen.pid], [0, 1, pid])
  t.is((await json(port, '/seen', { agent })).generation, 2)
  kill(pid, 'SIGKILL')
  await slow
  await gone(pid)
  t.is((await json(port, `/seen?session=${ids[0]}`)).generation, 2)
  await reload
})

test('a request whose process is killed gets an answer, and the next is answered by another', async (t) => {
  const { primary, port } = await start(t, { backoff: { initial: 60_000 } })
  const ids = await sessionOfEach(port)
  const asked = []
  for (let connection = 0; connection < 2; connection++) {
    const from = primary.events.length
    const post = `POST /hang?session=${ids[1]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody`
    asked.push(raw(port, ANY + post).catch((error) => error.code))
    await primary.event('message', (message) => message.hangs === 1, from)
  }
  t.is(await relayed(primary), 1)
  const [, { pid }] = await primary.call('processes')
  kill(pid, 'SIGKILL')
  const answers = await Promise.all(asked)
  t.is(answers.filter((text) => /HTTP\/1\.1 502 /.test(text)).length, 1)
  await gone(pid)
  t.is((await json(port, `/seen?session=${ids[1]}`)).slot, 0)
  const socket = net.connect(port, '127.0.0.1')
  const { seen } = await upgrade(socket, `/up?session=${ids[1]}`)
  t.is(seen.slot, 0)
  socket.destroy()
})

test('nobody but the processes of the cluster can relay, and nothing is left of the sockets', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-test-'))
  const { primary, port } = await startPrimary(t, {
    app: 'sticky-app.js',
    options: { processes: 2, sticky: { query: 'session' } },
    env: { XDG_RUNTIME_DIR: folder }
  })
  const [own] = fs.readdirSync(folder)
  t.is(fs.statSync(path.join(folder, own)).mode & 0o777, 0o700)
  t.deepEqual(fs.readdirSync(path.join(folder, own)).sort(), ['0-1', '1-1'])
  const socket = net.connect(path.join(folder, own, '0-1'))
  socket.on('error', () => {})
  const origin = { local: {}, remoteAddress: '10.0.0.1' }
  socket.write(`${JSON.stringify({ server: `127.0.0.1 ${port}`, origin })}\nGET /seen HTTP/1.1\r\nHost: x\r\n\r\n`)
  let heard = ''
  socket.on('data', (chunk) => {
    heard += chunk
  })
  await new Promise((resolve) => socket.on('close', resolve))
  t.is(heard, '')
  await primary.call('reload')
  t.deepEqual(fs.readdirSync(path.join(folder, own)).sort(), ['0-2', '1-2'])
  primary.child.kill('SIGTERM')
  await primary.exited
  t.deepEqual(fs.readdirSync(folder), [])
  fs.rmdirSync(folder)
})

test('when the primary is killed, its last process takes the folder of the sockets along', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-test-'))
  const { primary, pids } = await startPrimary(t, {
    app: 'sticky-app.js',
    options: { processes: 3, sticky: { query: 'session' } },
    env: { XDG_RUNTIME_DIR: folder }
  })
  const old = await pids()
  kill(primary.child.pid, 'SIGKILL')
  for (const pid of old) await gone(pid)
  t.deepEqual(fs.readdirSync(folder), [])
  fs.rmdirSync(folder)
})

test('a spare process has its sessions once it has a slot', async (t) => {
  const { primary, port, agent } = await start(t, { spare: 1 })
  await primary.event('spare', ({ to }) => to === 'ready')
  const [{ pid }] = await primary.call('processes')
  kill(pid, 'SIGKILL')
  await primary.event('state', ({ slot, to }) => slot === 0 && to === 'booting')
  await until(async () => (await primary.call('processes'))[0].state === 'ready')
  for (const [slot, id] of (await sessionOfEach(port)).entries())
    t.is((await json(port, `/seen?session=${id}`, { agent })).slot, slot)
})

test('with processes: 0 there are sessions, too', async (t) => {
  const { port } = await start(t, { processes: 0 })
  const id = String((await ask(port, '/new')).body)
  t.is((await json(port, `/seen?session=${id}`)).slot, 0)
})

test('wrong options are refused', (t) => {
  const { readClusterOptions } = require('../lib/cluster/options')
  const { run } = require('../lib/cluster')
  for (const sticky of ['sid', true, {}, { cookie: '' }, { query: 'a', cookie: 'b' }, { header: 'x' }, null])
    t.throws(() => readClusterOptions({ sticky }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  t.throws(() => run(__filename, { sticky: () => undefined }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
})
