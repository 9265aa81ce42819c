'use strict'

// socket.io over several processes, with its own server and clients: sessions, and the adapter.

const http = require('node:http')
const { once } = require('node:events')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { io } = require('socket.io-client')
const { createAdapter } = require('rspool/socket.io')
const { startPrimary, request, kill, gone, until } = require('./cluster/harness')

async function start(t, { processes = 2, ...options } = {}) {
  const started = await startPrimary(t, {
    app: 'chat-app.js',
    options: { processes, sticky: 'socket.io', ...options }
  })
  const { primary, port } = started
  const tell = (slot, ...command) => primary.call('request', slot, command, { timeout: 40_000 })
  const connect = async (path = '', more = {}) => {
    const socket = io(`http://127.0.0.1:${port}${path}`, { forceNew: true, reconnectionDelay: 20, ...more })
    t.teardown(() => socket.close())
    socket.errors = []
    socket.on('connect_error', ({ message, context }) => socket.errors.push(context?.responseText ?? message))
    socket.on('disconnect', (reason) => {
      socket.reason = reason
    })
    await once(socket, 'connect')
    ;[socket.slot, socket.generation] = await socket.emitWithAck('where')
    return socket
  }
  /** Two clients of each process. */
  const connectToAll = async (path) => {
    const sockets = []
    for (let slot = 0; slot < processes; slot++) {
      for (let count = 0; count < 2; ) {
        const socket = await connect(path, { transports: ['websocket'] })
        if (socket.slot === slot) {
          sockets.push(socket)
          count++
        } else socket.close()
      }
    }
    // Those that came to a process that had enough are gone, and every server knows the others.
    for (let slot = 0; slot < processes; slot++) {
      await until(async () => (await tell(slot, 'servers')) === processes)
      await until(async () => (await tell(slot, 'fetch', { of: path })).length === sockets.length)
    }
    return sockets
  }
  return { ...started, tell, connect, connectToAll }
}

/**
 * Which process serves a socket. A connection that has just ended may not have told its socket yet.
 * @returns {Promise<[slot: number, generation: number]>}
 */
async function whereIs(socket) {
  for (;;)
    try {
      return await socket.emitWithAck('where')
    } catch {}
}

/** What each socket hears of an event until it has heard of `end`. @param {any[]} sockets */
function hearing(sockets, name = 'news') {
  const heard = sockets.map(() => [])
  const ends = sockets.map((socket, at) => {
    socket.on(name, (...args) => heard[at].push(args.length === 1 ? args[0] : args))
    return new Promise((resolve) => socket.once('end', resolve))
  })
  return { heard, ended: Promise.all(ends) }
}

const refusals = ({ events }) => events.filter(({ event, values }) => event === 'message' && values[0].refused)

for (const transports of [['polling'], ['polling', 'websocket'], ['websocket']]) {
  test(`clients with ${transports} keep their sessions over 3 processes`, async (t) => {
    const { primary, connect } = await start(t, { processes: 3 })
    const sockets = await Promise.all(Array.from({ length: 12 }, () => connect('', { transports })))
    for (let round = 0; round < 3; round++) {
      for (const socket of sockets) {
        const [slot] = await socket.emitWithAck('where')
        t.is(slot, socket.slot)
        const bytes = Buffer.alloc(100_000, round)
        t.true(bytes.equals(await socket.emitWithAck('binary', bytes)))
      }
    }
    t.deepEqual(
      sockets.flatMap(({ errors }) => errors),
      []
    )
    t.deepEqual(refusals(primary), [])
  })
}

test('twenty sessions that share the connections of an agent keep their processes', async (t) => {
  const { primary, connect } = await start(t, { processes: 2 })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 25 })
  t.teardown(() => agent.destroy())
  const sockets = await Promise.all(Array.from({ length: 20 }, () => connect('', { transports: ['polling'], agent })))
  for (const socket of sockets) t.is((await socket.emitWithAck('where'))[0], socket.slot)
  t.deepEqual(
    sockets.flatMap(({ errors }) => errors),
    []
  )
  t.regex(await primary.call('metrics'), /rspool_http_relayed_total\{[^}]*\} [1-9]/)
})

test('a client whose session has ended is told so in its own language, also when its process has gone', async (t) => {
  const { primary, port } = await start(t, { processes: 2, backoff: { initial: 60_000 } })
  const url = '/socket.io/?EIO=4&transport=polling'
  const begin = async () => JSON.parse((await request(port, url)).body.slice(1)).sid
  const poll = async (sid, options) => request(port, `${url}&sid=${sid}`, options)
  const ended = await begin()
  t.is((await poll(ended, { method: 'POST', body: '1' })).status, 200)
  const told = async (sid) => {
    t.like(await poll(sid), { status: 200, body: '1' })
    t.like(await poll(sid, { method: 'POST', body: '4hello' }), { status: 200, body: 'ok' })
    t.like(await request(port, `${url.replace('=4', '=3')}&sid=${sid}`), { status: 200, body: '1:1' })
    const headers = { connection: 'Upgrade', upgrade: 'websocket' }
    t.is((await request(port, `${url}&sid=${sid}`, { headers })).status, 410)
  }
  await told(ended)
  let lost = await begin()
  while (lost.split('.')[1] !== '1') lost = await begin()
  const [, { pid }] = await primary.call('processes')
  kill(pid, 'SIGKILL')
  await gone(pid)
  await told(lost)
  t.deepEqual(refusals(primary), [])
  // One that this cluster has not made is unknown.
  t.regex((await poll(lost.replace('.1.1.', '.0.1.'))).body, /Session ID unknown/)
})

test('a poll that waits when its process is killed tells the client that its session has ended', async (t) => {
  const { primary, port } = await start(t, { processes: 2, backoff: { initial: 60_000 } })
  const url = '/socket.io/?EIO=4&transport=polling'
  const begin = async (options) => JSON.parse((await request(port, url, options)).body.slice(1)).sid
  let lost = await begin()
  while (lost.split('.')[1] !== '1') lost = await begin()
  // A connection to the other process.
  let agent
  for (let sid = lost; sid.split('.')[1] !== '0'; sid = await begin({ agent })) {
    agent?.destroy()
    agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  }
  t.teardown(() => agent.destroy())
  const [, { pid }] = await primary.call('processes')
  // It takes the poll and does not answer.
  kill(pid, 'SIGSTOP')
  const poll = request(port, `${url}&sid=${lost}`, { agent })
  await until(async () => /rspool_http_relayed_total\{[^}]*\} 1/.test(await primary.call('metrics')))
  kill(pid, 'SIGKILL')
  t.like(await poll, { status: 200, body: '1' })
  t.deepEqual(refusals(primary), [])
})

test('what a process emits reaches the clients of all processes, by room and exception', async (t) => {
  const { tell, connectToAll } = await start(t)
  const sockets = await connectToAll()
  const { heard, ended } = hearing(sockets)
  await sockets[0].emitWithAck('join', 'even')
  await sockets[2].emitWithAck('join', 'even')
  await tell(0, 'emit', {}, 'news', 'all', { bytes: new Uint8Array([1, 2]) })
  await tell(1, 'emit', { rooms: ['even'] }, 'news', 'even')
  await tell(1, 'emit', { except: ['even'] }, 'news', 'odd')
  await tell(1, 'emit', { local: true }, 'news', 'local')
  sockets[0].emit('relay', 'even', 'from a client')
  await once(sockets[2], 'relayed')
  await tell(1, 'emit', {}, 'end')
  await ended
  const plain = heard.map((all) => all.map((news) => (Array.isArray(news) ? news[0] : news)))
  t.deepEqual(plain, [
    ['all', 'even'],
    ['all', 'odd'],
    ['all', 'even', 'local'],
    ['all', 'odd', 'local']
  ])
  for (const [[, { bytes }]] of heard) t.deepEqual([...new Uint8Array(bytes)], [1, 2])
})

test('namespaces are told apart, whatever their names are', async (t) => {
  const { tell, connectToAll } = await start(t)
  const long = `/dynamic-${'x'.repeat(300)}`
  const groups = [await connectToAll('/other'), await connectToAll(long)]
  const hearings = groups.map((sockets) => hearing(sockets))
  await tell(0, 'emit', { of: '/other' }, 'news', 'other')
  await tell(1, 'emit', { of: long }, 'news', 'long')
  for (const of of ['/other', long]) await tell(0, 'emit', { of }, 'end')
  for (const [at, { heard, ended }] of hearings.entries()) {
    await ended
    for (const news of heard) t.deepEqual(news, [['other'], ['long']][at])
  }
})

test('acknowledgements come from the clients of all processes', async (t) => {
  const { tell, connectToAll } = await start(t)
  const sockets = await connectToAll()
  for (const [at, socket] of sockets.entries()) socket.on('ask', (text, answer) => answer(`${text} ${at}`))
  const answers = await tell(0, 'emitWithAck', { timeout: 20_000 }, 'ask', 'who')
  t.deepEqual(answers.sort(), ['who 0', 'who 1', 'who 2', 'who 3'])
})

test('fetchSockets, socketsJoin, socketsLeave and disconnectSockets are of all processes', async (t) => {
  const { tell, connectToAll } = await start(t)
  const sockets = await connectToAll()
  const found = await tell(0, 'fetch', {})
  t.deepEqual(found.map(({ id }) => id).sort(), sockets.map(({ id }) => id).sort())
  t.deepEqual(found.map(({ data }) => data.slot).sort(), [0, 0, 1, 1])
  t.true(found.every(({ url }) => url.startsWith('/socket.io/')))
  await tell(1, 'join', {}, 'room')
  await until(async () => (await tell(0, 'fetch', { rooms: ['room'] })).length === 4)
  await tell(0, 'leave', { rooms: [sockets[3].id] }, 'room')
  await until(async () => (await tell(1, 'fetch', { rooms: ['room'] })).length === 3)
  await tell(0, 'disconnect', { rooms: ['room'] })
  await until(() => sockets.filter(({ connected }) => connected).length === 1)
  t.true(sockets[3].connected)
})

test('servers tell and ask each other', async (t) => {
  const { primary, tell, connectToAll } = await start(t, { processes: 3 })
  await connectToAll()
  await tell(0, 'tell', 'news')
  for (const slot of [1, 2]) await primary.event('message', ({ told, slot: by }) => told === 'news' && by === slot)
  t.deepEqual((await tell(0, 'question', 'who')).sort(), ['who 1', 'who 2'])
})

test('nobody waits for a process that has died', async (t) => {
  const { primary, tell, connectToAll } = await start(t, { processes: 3, backoff: { initial: 60_000 } })
  const sockets = await connectToAll()
  const [, , { pid }] = await primary.call('processes')
  // It would answer after ten seconds at the earliest, and never.
  await tell(2, 'block')
  const asked = tell(0, 'question', 'who')
  const fetched = tell(1, 'fetch', {})
  kill(pid, 'SIGKILL')
  t.deepEqual(await asked, ['who 1'])
  t.true((await fetched).length >= 4)
  await until(async () => (await tell(0, 'servers')) === 2)
  await until(() => sockets.every(({ connected }) => connected))
  t.true(sockets.slice(4).every(({ reason }) => reason === 'transport close'))
})

test('in a reload clients are told to connect anew, and come to the new processes', async (t) => {
  const { primary, tell, connect } = await start(t, { grace: 2000 })
  const all = [['polling'], ['polling', 'websocket'], ['websocket']]
  const sockets = await Promise.all(all.flatMap((transports) => [1, 2, 3, 4].map(() => connect('', { transports }))))
  const report = await primary.call('reload')
  t.is(report.forced, 0)
  await until(() => sockets.every(({ connected }) => connected))
  for (const socket of sockets) {
    const [, generation] = await whereIs(socket)
    t.is(generation, 2)
    t.is(socket.reason, 'transport close')
  }
  t.deepEqual(
    sockets.flatMap(({ errors }) => errors.filter((error) => /Session ID unknown/.test(error))),
    []
  )
  const { ended } = hearing(sockets)
  await tell(0, 'emit', {}, 'end')
  await ended
})

test('a process that drains ends no long poll of a session that another has', async (t) => {
  const { primary, connect } = await start(t, { grace: 3000 })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 40 })
  t.teardown(() => agent.destroy())
  const sockets = await Promise.all(Array.from({ length: 20 }, () => connect('', { transports: ['polling'], agent })))
  // Any of their polls may wait at any process.
  const from = primary.events.length
  await primary.call('restart', 0)
  const [{ cause }] = await primary.event('exit', ({ slot }) => slot === 0, from)
  t.false(cause.forced)
  const others = sockets.filter(({ slot }) => slot === 1)
  for (const socket of others) {
    const [slot, generation] = await socket.emitWithAck('where')
    t.deepEqual([slot, generation, socket.reason], [1, 1, undefined])
  }
  t.true(others.length > 0)
})

test('a broadcast that cannot be sent is told', async (t) => {
  const { primary, tell } = await start(t, { publishBytes: 65_536 })
  await tell(0, 'emit', {}, 'news', 'x'.repeat(100_000))
  await primary.event('message', ({ warning }) => warning === 'ERR_RSPOOL_INVALID_ARGUMENT')
  t.pass()
})

test('@socket.io/sticky can route, too, among the processes that are ready', async (t) => {
  const { primary, port } = await startPrimary(t, {
    app: 'sticky-package-app.js',
    options: { processes: 2, grace: 2000 }
  })
  const connect = async () => {
    const socket = io(`http://127.0.0.1:${port}`, { forceNew: true, transports: ['polling'], reconnectionDelay: 20 })
    t.teardown(() => socket.close())
    socket.errors = []
    socket.on('connect_error', ({ context, message }) => socket.errors.push(context?.responseText ?? message))
    await once(socket, 'connect')
    return socket
  }
  // It hears of a session only when that is there.
  const sockets = []
  for (let count = 0; count < 6; count++) sockets.push(await connect())
  const where = () => Promise.all(sockets.map(whereIs))
  t.deepEqual([...new Set((await where()).map(([slot]) => slot))].sort(), [0, 1])
  await primary.call('reload')
  await until(() => sockets.every(({ connected }) => connected))
  t.true((await where()).every(([, generation]) => generation === 2))
  t.deepEqual(
    sockets.flatMap(({ errors }) => errors).filter((error) => /unknown/i.test(error)),
    []
  )
})

test('what is no context, and wrong options, are refused', (t) => {
  for (const context of [undefined, {}, null]) {
    t.throws(() => createAdapter(context), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  }
  const context = { publish() {}, subscribe: () => () => {} }
  t.throws(() => createAdapter(context, { heartbeatIntervall: 1 }), { message: /Did you mean/ })
})
