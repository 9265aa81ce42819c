'use strict'

// The processes of stress/sticky-cluster.js: a socket.io server that sends back all that it gets, and routes that do so.

const http = require('node:http')
const { Server } = require('socket.io')

/** The code with which engine.io rejects a session id that it does not know. */
const UNKNOWN_SID = 1

module.exports = (/** @type {any} */ context) => {
  const server = http.createServer((request, response) => {
    response.setHeader('x-slot', context.slot)
    if (request.url === '/new') response.end(context.sessionId())
    else if (request.method === 'POST') request.pipe(response)
    else response.end('x'.repeat(100))
  })
  const io = new Server(server, { maxHttpBufferSize: 2 ** 22, serveClient: false })
  context.sticky(io)
  io.engine.on('connection_error', (/** @type {{ code: number }} */ { code }) => {
    if (code === UNKNOWN_SID) context.counters.add('unknown')
  })
  io.on('connection', (socket) => {
    socket.on('echo', (bytes, answer) => answer(bytes))
  })
  server.listen(Number(process.env.APP_PORT), '127.0.0.1')
}
