'use strict'

// The recipe of docs/sticky-sessions.md for @socket.io/sticky: the primary routes by itself.

const cluster = require('node:cluster')
const http = require('node:http')
const { Server } = require('socket.io')
const { setupMaster, setupWorker } = require('@socket.io/sticky')

module.exports = (context) => {
  const io = new Server(http.createServer())
  setupWorker(io)
  io.on('connection', (socket) => socket.on('where', (done) => done([context.slot, context.generation])))
  context.signal.addEventListener('abort', () => {
    for (const session of Object.values(io.engine.clients)) session.close()
  })
  context.ready()
}

/** In the primary. */
module.exports.route = (supervisor) => {
  const server = http.createServer()
  setupMaster(server, { loadBalancingMethod: 'least-connection' })
  // It chooses the process with the least sessions: those that are not ready have the most.
  const review = () => {
    const ready = supervisor.processes.filter(({ state }) => state === 'ready').map(({ pid }) => pid)
    for (const worker of Object.values(cluster.workers)) {
      if (!ready.includes(worker.process.pid)) worker.clientsCount = Infinity
      else if (!Number.isFinite(worker.clientsCount)) worker.clientsCount = 0
    }
  }
  cluster.on('fork', review)
  supervisor.on('state', review)
  supervisor.ready.then(() => server.listen(Number(process.env.APP_PORT), '127.0.0.1'))
  supervisor.on('close', () => server.close())
}
