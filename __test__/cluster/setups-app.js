'use strict'

// socket.io beside an application of express, over HTTP and HTTPS, twice on each server, with compressed WebSockets.

const fs = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const path = require('node:path')
const express = require('express')
const session = require('express-session')
const { Server } = require('socket.io')

const file = (name) => fs.readFileSync(path.join(__dirname, name))

module.exports = (context) => {
  const app = express()
  app.use(
    session({ name: 'app', secret: 'x', resave: false, saveUninitialized: true, genid: () => context.sessionId() })
  )
  app.get('/count', (request, response) => {
    request.session.count = (request.session.count ?? 0) + 1
    response.json({ slot: context.slot, generation: context.generation, count: request.session.count })
  })
  app.post('/length', express.raw({ limit: '10mb', type: () => true }), (request, response) => {
    response.json({ slot: context.slot, length: request.body.length })
  })
  const servers = [http.createServer(app), https.createServer({ key: file('key.pem'), cert: file('cert.pem') }, app)]
  for (const [at, server] of servers.entries()) {
    for (const name of ['one', 'two']) {
      const io = new Server(server, {
        path: name === 'one' ? undefined : '/deep/two',
        cookie: name === 'one' ? { name: 'io', httpOnly: true } : false,
        perMessageDeflate: { threshold: 0 },
        maxHttpBufferSize: 2 ** 22
      })
      context.sticky(io)
      io.engine.on('connection_error', ({ message }) => context.send({ refused: message }))
      io.on('connection', (socket) => {
        socket.on('where', (done) =>
          done({ name, slot: context.slot, generation: context.generation, secure: Boolean(socket.handshake.secure) })
        )
        socket.on('echo', (bytes, done) => done(bytes))
      })
    }
    server.listen(Number(process.env.APP_PORT) + at, '127.0.0.1')
  }
}

/** The session is in a header. */
module.exports.byHeader = (head) => head.headers['x-session']
