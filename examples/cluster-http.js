'use strict'

// An HTTP server of several processes that share a port, counters and one CPU budget; the hashing is
// done by the pool, so the event loops stay free. Try it, and reload it under load:
//
//   node examples/cluster-http.js
//   curl --data-binary @package.json http://localhost:8000/
//   curl http://localhost:8000/status
//   kill -HUP <pid of the primary>

const http = require('node:http')
const { once } = require('node:events')
const { buffer } = require('node:stream/consumers')
const { cluster, runTask } = require('rspool')

const port = Number(process.env.PORT ?? 8000)

const supervisor = cluster.run(
  async ({ slot, counters, histograms, request, onDrain }) => {
    const server = http.createServer(async (incoming, response) => {
      counters.add('requests')
      const start = performance.now()
      if (incoming.url === '/status') {
        // The primary knows of all processes.
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(await request('status')))
      } else {
        const hash = await runTask('hash.sha256', await buffer(incoming))
        response.end(`${hash.toString('hex')}  (process ${slot})\n`)
      }
      histograms.observe('answer-ms', performance.now() - start)
    })
    onDrain(() => console.log(`process ${slot} has answered everything`))
    await once(server.listen(port), 'listening')
  },
  {
    processes: process.env.PROCESSES ? Number(process.env.PROCESSES) : 'auto',
    counters: ['requests'],
    histograms: { 'answer-ms': [1, 5, 25, 100, 500] }
  }
)

if (cluster.isPrimary) {
  supervisor.onRequest((message) => (message === 'status' ? supervisor.status() : undefined))
  supervisor.on('exit', ({ slot, cause }) => console.log(`process ${slot} ${cause.message}`))
  supervisor.ready.then(
    () => console.log(`primary ${process.pid}: ${supervisor.size} processes at http://localhost:${port}/`),
    () => {} // The supervisor has said why, and ends the program.
  )
}
