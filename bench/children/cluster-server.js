'use strict'

// The same server under bare node:cluster or under the helper: node cluster-server.js <bare|helper> <port> <processes>

const http = require('node:http')
const cluster = require('node:cluster')

const [, , kind, port, processes] = process.argv

function serve() {
  http.createServer((_request, response) => response.end('hello')).listen(Number(port))
}

if (kind === 'helper') {
  const supervisor = require('../../lib/cluster').run(serve, { processes: Number(processes) })
  if (cluster.isPrimary) supervisor.ready.then(() => process.send('ready'))
} else if (cluster.isPrimary) {
  let listening = 0
  cluster.on('listening', () => {
    if (++listening === Number(processes)) process.send('ready')
  })
  for (let n = 0; n < Number(processes); n++) cluster.fork()
} else {
  serve()
}
process.on('disconnect', () => process.exit())
