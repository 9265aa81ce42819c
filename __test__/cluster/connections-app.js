'use strict'

// Servers whose connections a drain has to end, each of another KIND.

const dgram = require('node:dgram')
const fs = require('node:fs')
const http = require('node:http')
const http2 = require('node:http2')
const https = require('node:https')
const net = require('node:net')
const path = require('node:path')
const { once } = require('node:events')

const pem = {
  key: fs.readFileSync(path.join(__dirname, 'key.pem')),
  cert: fs.readFileSync(path.join(__dirname, 'cert.pem'))
}
const soon = (then) => setTimeout(then, 10)

/** Ways to answer that insist on keeping the connection, and have a header of their own. */
const answers = {
  setHeader: (response) => response.setHeader('Connection', 'keep-alive').setHeader('x-own', ['1', '2']).end('ok'),
  'writeHead of an object': (response) =>
    response.writeHead(200, { Connection: 'keep-alive', 'x-own': ['1', '2'] }).end('ok'),
  'writeHead of a list': (response) =>
    response.writeHead(200, ['Connection', 'keep-alive', 'Keep-Alive', 'timeout=60', 'x-own', '1, 2']).end('ok'),
  'writeHead of pairs': (response) =>
    response
      .writeHead(200, [
        ['Connection', 'keep-alive'],
        ['x-own', '1, 2']
      ])
      .end('ok'),
  'writeHead over setHeader': (response) =>
    response.setHeader('x-own', ['1', '2']).writeHead(200, { connection: 'keep-alive' }).end('ok'),
  'a header that is removed': (response) => {
    response.removeHeader('connection')
    response.setHeader('x-own', ['1', '2']).end('ok')
  }
}

/** Of each stream, some at once. */
function answerStream({ url }, response) {
  response.statusCode = process.env.STATUS ?? 200
  if (url === '/at-once') response.end('ok')
  else setTimeout(() => response.end('ok'), 3)
}

/** Sends for longer than a connection may be idle. */
function talk(socket, head) {
  socket.write(head)
  let count = 0
  const timer = setInterval(() => {
    if (++count < 15) return void socket.write(`${count} `)
    clearInterval(timer)
    socket.end('done')
  }, 100)
  socket.on('error', () => clearInterval(timer))
}

const kinds = {
  https: () => https.createServer(pem, (request, response) => soon(() => answers.setHeader(response))),
  'emit(connection)': () => {
    const server = http.createServer((request, response) => soon(() => answers.setHeader(response)))
    return net.createServer((socket) => server.emit('connection', socket))
  },
  'http-proxy': () => {
    const proxy = require('http-proxy').createProxyServer({ target: process.env.TARGET })
    return http.createServer((request, response) => proxy.web(request, response))
  },
  'answers late': () => http.createServer(({ url }, response) => setTimeout(() => response.end(url), 400)),
  'answers at once in a drain': ({ signal }) =>
    http.createServer(({ url }, response) => {
      if (signal.aborted) response.end(url)
      else setTimeout(() => response.end(url), 400)
    }),
  ws: ({ signal, send }) => {
    const { WebSocketServer } = require('ws')
    const server = http.createServer((request, response) => setTimeout(() => response.end('ok'), 300))
    const sockets = new WebSocketServer({ noServer: true })
    server.on('upgrade', async (request, socket, head) => {
      // As who asks a database whether that may be.
      if (request.url === '/slow') {
        send('asking')
        await once(signal, 'abort')
      }
      sockets.handleUpgrade(request, socket, head, (client) => client.send('hello'))
    })
    return server
  },
  tunnels: () => {
    const server = http.createServer()
    server.on('connect', (request, socket) => talk(socket, 'HTTP/1.1 200 OK\r\n\r\n'))
    server.on('upgrade', (request, socket) =>
      talk(socket, 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n')
    )
    return server
  },
  http2: () => http2.createServer(answerStream),
  'http2 over TLS': () => http2.createSecureServer(pem, answerStream),
  udp: ({ onDrain }) => {
    let closed = false
    onDrain(async () => {
      closed = true
      // The other process gets what comes now.
      const client = dgram.createSocket('udp4')
      for (let n = 0; n < 20; n++) {
        const answer = once(client, 'message')
        client.send('x', Number(process.env.APP_PORT), '127.0.0.1')
        await answer
      }
      client.close()
    })
    const socket = dgram.createSocket('udp4')
    socket.on('message', (message, { port, address }) => socket.send(closed ? 'too late' : 'ok', port, address))
    socket.listen = (port, host, done) => socket.bind(port, host, done)
    return socket
  }
}

module.exports = async (context) => {
  const { KIND, APP_PORT } = process.env
  const answer = answers[KIND]
  const server =
    answer === undefined
      ? await kinds[KIND](context)
      : http.createServer((request, response) => soon(() => answer(response)))
  await new Promise((resolve) => server.listen(Number(APP_PORT), '127.0.0.1', resolve))
}
