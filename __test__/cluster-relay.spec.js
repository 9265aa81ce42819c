'use strict'

// What happens to requests that are relayed, where clients and applications do something unusual.

const crypto = require('node:crypto')
const http = require('node:http')
const net = require('node:net')
const { once } = require('node:events')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { ANY, ask, json, raw, relayed, sessionOfEach, start, twice } = require('./cluster/sessions')
const { until } = require('./cluster/harness')

/**
 * Asks both processes through one connection, so that one of the requests is relayed.
 * @param {(url: (path: string) => string, slot: number) => Promise<void>} tell is given the URL of a path
 */
async function askBoth(t, { primary, port }, tell) {
  const before = await relayed(primary)
  for (const [slot, id] of (await sessionOfEach(port)).entries())
    await tell((path) => `${path}${path.includes('?') ? '&' : '?'}session=${id}`, slot)
  t.is((await relayed(primary)) - before, 1)
}

test('very large heads pass, both ways', async (t) => {
  const started = await start(t)
  const headers = { cookie: 'c'.repeat(10_000), 'x-long': 'x'.repeat(5000) }
  await askBoth(t, started, async (url) => {
    const answer = await ask(started.port, url('/large'), { agent: started.agent, headers, maxHeaderSize: 2 ** 20 })
    t.is(answer.status, 200)
    t.true(Number(answer.body) > 15_000)
    for (let at = 0; at < 20; at++) t.is(answer.headers[`x-large-${at}`].length, 10_000)
  })
})

test('a client hears the answers that come before the answer', async (t) => {
  const started = await start(t)
  await askBoth(t, started, async (url) => {
    const asked = http.get({ port: started.port, path: url('/hints'), agent: started.agent })
    const told = []
    asked.on('information', ({ statusCode, headers }) => told.push([statusCode, headers.link]))
    const [response] = await once(asked, 'response')
    t.is(await response.setEncoding('utf8').reduce((all, text) => all + text, ''), 'hinted')
    t.deepEqual(told, [
      [102, undefined],
      [103, '</a>; rel=preload, </b>; rel=preload']
    ])
  })
})

test('an answer may come before the body of its request, and the connection is used again', async (t) => {
  const started = await start(t)
  const bytes = crypto.randomBytes(2 ** 21)
  await askBoth(t, started, async (url) => {
    const answer = await ask(started.port, url('/early'), { agent: started.agent, method: 'POST', body: bytes })
    t.is(answer.status, 413)
    t.is(String(answer.body), 'too large')
  })
  await askBoth(t, started, async (url, slot) => {
    t.is((await json(started.port, url('/seen'), { agent: started.agent })).slot, slot)
  })
})

test('an application may limit the time of a request', async (t) => {
  const started = await start(t)
  await askBoth(t, started, async (url) => {
    const answer = await ask(started.port, url('/limit'), { agent: started.agent })
    t.is(answer.status, 503)
    t.is(String(answer.body), 'too late')
  })
})

test('a client that reads slowly slows the application down, and one that leaves ends its answer', async (t) => {
  const { primary, port } = await start(t)
  const ids = await sessionOfEach(port)
  for (const slot of [0, 1, 1, 0]) {
    const from = primary.events.length
    const socket = net.connect(port, '127.0.0.1').pause()
    socket.write(`${ANY}GET /flood?session=${ids[slot]} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await primary.event('message', (message) => message.full === slot, from)
    socket.destroy()
    await primary.event('message', (message) => message.flooded === slot, from)
  }
  t.is(await relayed(primary), 2)
})

test('an answer that breaks off breaks off for the client, too', async (t) => {
  const { port } = await start(t)
  for (const id of twice(await sessionOfEach(port))) {
    const text = await raw(port, `${ANY}GET /breaks?session=${id} HTTP/1.1\r\nHost: x\r\n\r\n`).catch(
      (error) => error.code
    )
    t.regex(text, /half$|ECONNRESET/)
  }
})

test('a request that its client breaks off is broken off for the application', async (t) => {
  const { primary, port } = await start(t)
  const ids = await sessionOfEach(port)
  for (const slot of [0, 1, 1, 0]) {
    for (const framing of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
      const from = primary.events.length
      const socket = net.connect(port, '127.0.0.1')
      socket.write(`${ANY}POST /hang?session=${ids[slot]} HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n5\r\nhello\r\n`)
      await primary.event('message', (message) => message.hangs === slot, from)
      socket.destroy()
      await primary.event('message', (message) => message.closed === slot, from)
    }
  }
  t.is(await relayed(primary), 4)
})

test('requests that were sent in one go may be of all kinds', async (t) => {
  const { port } = await start(t)
  const [one, two] = await sessionOfEach(port)
  const get = (id, more = '') => `GET /seen?session=${id} HTTP/1.1\r\nHost: x\r\n${more}\r\n`
  const chunked = (id) =>
    `POST /echo?session=${id} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n`
  const head = (id) => `HEAD /seen?session=${id} HTTP/1.1\r\nHost: x\r\n\r\n`
  const nothing = (id) => `DELETE /nothing?session=${id} HTTP/1.1\r\nHost: x\r\n\r\n`
  const kinds = [get, chunked, head, nothing]
  const requests = kinds.flatMap((kind) => [kind(one), kind(two), kind(two), kind(one)])
  const text = await raw(port, requests.join('') + get(two, 'Connection: close\r\n'))
  const statuses = Array.from(text.matchAll(/HTTP\/1\.1 (\d+) /g), ([, status]) => Number(status))
  t.deepEqual(statuses, kinds.flatMap((_, at) => Array(4).fill([201, 200, 201, 204][at])).concat(201))
  t.is(text.match(/"slot":0/g).length, 2)
  t.is(text.match(/"slot":1/g).length, 3)
})

test('no connection between processes outlives that of its client, and none is made for each request', async (t) => {
  const started = await start(t)
  const { primary, port, agent, pids } = started
  const sockets = async () => {
    const fs = require('node:fs')
    let count = 0
    for (const pid of await pids()) {
      for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
        try {
          if (fs.readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:')) count++
        } catch {}
      }
    }
    return count
  }
  const ids = await sessionOfEach(port)
  await ask(port, '/bare', { agent })
  const before = process.platform === 'linux' && (await sockets())
  const first = await json(port, `/seen?session=${ids[0]}`, { agent })
  for (let round = 0; round < 50; round++)
    for (const id of ids) t.is((await json(port, `/seen?session=${id}`, { agent })).remote[1], first.remote[1])
  t.is(await relayed(primary), 50)
  agent.destroy()
  // The client's connection has gone as well.
  if (before) await until(async () => (await sockets()) < before)
  t.pass()
})
