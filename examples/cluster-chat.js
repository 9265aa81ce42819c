'use strict'

// A small chat over several processes: whoever is connected to one hears what is said in all. Any process may be killed.
//
//   node examples/cluster-chat.js
//   curl -N http://localhost:8000/listen
//   curl -d 'hello' 'http://localhost:8000/say?name=ann&id=1'
//
// * A message goes to all processes by `publish`, and from each to its listeners.
// * A client that has no answer says the message again, with the same id: `once` drops the second.
// * A name may say 5 messages a second, whichever process it meets: `limits`.
// * One process tells how many are there: the leader, which is followed by another when it drains or dies.

const http = require('node:http')
const { once } = require('node:events')
const { text } = require('node:stream/consumers')
const { cluster } = require('rspool')

const port = Number(process.env.PORT ?? 8000)

/** @param {import('rspool').cluster.ClusterContext} context */
async function main(context) {
  /** @type {Set<http.ServerResponse>} */
  const listeners = new Set()
  context.subscribe('chat', (message) => {
    for (const listener of listeners) listener.write(`data: ${JSON.stringify(message)}\n\n`)
  })

  context.leader('announcer', ({ token, signal }) => {
    let number = 0
    const timer = setInterval(() => {
      context.publish('chat', {
        from: 'the house',
        token,
        number: number++,
        text: `${context.gauges.get('here')} are here`
      })
    }, 200)
    signal.addEventListener('abort', () => clearInterval(timer))
  })

  const server = http.createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://chat')
    if (pathname === '/listen') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': welcome\n\n')
      listeners.add(response)
      context.gauges.add('here', 1)
      response.on('close', () => listeners.delete(response) && context.gauges.add('here', -1))
      return
    }
    const name = searchParams.get('name') || 'somebody'
    const { ok, retryAfterMs } = context.limits.say.take(name.slice(0, 40))
    if (!ok)
      return response.writeHead(429, { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }).end('slowly, please\n')
    const id = searchParams.get('id')
    const said = await text(request)
    if (id === null || context.once(`said:${name.slice(0, 40)}:${id.slice(0, 40)}`, { ttl: 60_000 }))
      context.publish('chat', { from: name, id, text: said })
    response.end('said\n')
  })
  context.signal.addEventListener('abort', () => {
    // Listeners come again, to another process.
    for (const listener of listeners) listener.end()
  })
  await once(server.listen(port), 'listening')
}

const supervisor = cluster.run(main, {
  processes: Number(process.env.PROCESSES ?? 4),
  gauges: ['here'],
  limits: { say: { points: Number(process.env.SAY ?? 5), per: 1000 } },
  backoff: { initial: 10, max: 1000 },
  crashLoop: { restarts: 100 }
})

if (cluster.isPrimary)
  supervisor.ready.then(
    () => console.log(`the chat is at http://localhost:${port}/`),
    () => {} // The supervisor has said why.
  )
