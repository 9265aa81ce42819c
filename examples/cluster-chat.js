'use strict'

// A small chat over several processes: whoever is connected to one hears what is said in all. Any process may be killed.
// It needs the packages express and express-session.
//
//   node examples/cluster-chat.js
//   curl -c jar -X POST 'http://localhost:8000/login?name=ann'
//   curl -N http://localhost:8000/listen
//   curl -b jar -d 'hello' 'http://localhost:8000/say?id=1'
//   curl http://localhost:8000/history
//
// * Who has logged in is known to all processes, and survives each: sessions of express-session in a shared map.
// * A client that has no answer says its message again, with the same id. `add` keeps it once, `once` tells it once.
// * A message goes to all processes by `publish`, and from each to its listeners.
// * The history is put together by one process and kept for all: `getOrCompute`.
// * A name may say 5 messages a second, whichever process it meets: `limits`.
// * One process tells how many are there: the leader, which is followed by another when it drains or dies.

const http = require('node:http')
const { randomUUID } = require('node:crypto')
const { once } = require('node:events')
const { text } = require('node:stream/consumers')
const express = require('express')
const session = require('express-session')
const { cluster } = require('rspool')
const { ExpressSessionStore } = require('rspool/stores/express-session')

const port = Number(process.env.PORT ?? 8000)
const secret = process.env.SECRET ?? randomUUID()
/** Messages that the history shows. */
const SHOWN = 100

/** @param {import('rspool').cluster.ClusterContext} context */
async function main(context) {
  const { sessions, messages, cache } = context.maps
  /** @type {Set<http.ServerResponse>} */
  const listeners = new Set()
  context.subscribe('chat', (message) => {
    for (const listener of listeners) listener.write(`data: ${JSON.stringify(message)}\n\n`)
  })

  context.leader('announcer', ({ token, signal }) => {
    let number = 0
    const timer = setInterval(() => {
      const here = context.gauges.get('here')
      context.publish('chat', { from: 'the house', token, number: number++, text: `${here} are here` })
    }, 200)
    signal.addEventListener('abort', () => clearInterval(timer))
  })

  const app = express()

  app.get('/listen', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': welcome\n\n')
    listeners.add(response)
    context.gauges.add('here', 1)
    response.on('close', () => listeners.delete(response) && context.gauges.add('here', -1))
  })

  app.get('/history', async (_request, response) => {
    // What is said makes the number another, so nobody is shown an old history.
    const said = context.counters.get('said')
    response.json(await cache.getOrCompute(`history:${said}`, history, { ttl: 60_000 }))
  })

  function history() {
    const all = Array.from(messages.keys({ prefix: 'message:' }), (key) => messages.get(key))
    const there = all.filter((message) => message !== undefined)
    return there.sort((one, two) => one.at - two.at).slice(-SHOWN)
  }

  app.use(
    session({ name: 'chat', secret, resave: false, saveUninitialized: false, store: new ExpressSessionStore(sessions) })
  )

  app.post('/login', (request, response) => {
    const name = String(request.query.name ?? '').slice(0, 40) || 'somebody'
    Object.assign(request.session, { who: name })
    response.send(`welcome, ${name}\n`)
  })

  app.post('/say', async (request, response) => {
    const { who } = /** @type {{ who?: string }} */ (request.session)
    if (who === undefined) return void response.status(401).send('log in, please\n')
    const { ok, retryAfterMs } = context.limits.say.take(who)
    if (!ok) {
      response.set('retry-after', String(Math.ceil(retryAfterMs / 1000)))
      return void response.status(429).send('slowly, please\n')
    }
    const id = String(request.query.id ?? randomUUID()).slice(0, 60)
    const message = { from: who, id, text: await text(request), at: Date.now() }
    const key = `message:${who}:${id}`
    messages.add(key, message)
    context.counters.add('said')
    if (context.once(key, { ttl: 60_000 })) context.publish('chat', message)
    response.send('said\n')
  })

  const server = http.createServer(app)
  context.signal.addEventListener('abort', () => {
    // Listeners come again, to another process.
    for (const listener of listeners) listener.end()
  })
  await once(server.listen(port), 'listening')
}

const supervisor = cluster.run(main, {
  processes: Number(process.env.PROCESSES ?? 4),
  env: { SECRET: secret },
  counters: ['said'],
  gauges: ['here'],
  maps: {
    sessions: { bytes: '4MB', evict: false },
    messages: { bytes: '4MB', ttl: 3_600_000 },
    cache: { bytes: '4MB' }
  },
  limits: { say: { points: Number(process.env.SAY ?? 5), per: 1000 } },
  backoff: { initial: 10, max: 1000 },
  crashLoop: { restarts: 100 }
})

if (cluster.isPrimary)
  supervisor.ready.then(
    () => console.log(`the chat is at http://localhost:${port}/`),
    () => {} // The supervisor has said why.
  )
