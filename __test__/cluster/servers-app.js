'use strict'

// Servers of every kind in one process; each answers so late that a drain begins before it does.

const fs = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const http2 = require('node:http2')
const net = require('node:net')
const path = require('node:path')
const { createHash } = require('node:crypto')

const pem = {
  key: fs.readFileSync(path.join(__dirname, 'key.pem')),
  cert: fs.readFileSync(path.join(__dirname, 'cert.pem'))
}

module.exports = async ({ onDrain, signal, send }) => {
  /** Says that it was asked, and answers when the drain has begun. */
  const answerLate = (stream) => {
    send('asked')
    signal.addEventListener('abort', () => setImmediate(() => stream.end('late')))
  }
  const late = (request, response) => answerLate(response)
  const first = Number(process.env.APP_PORT)
  const web = http.createServer(late)
  web.on('upgrade', (request, socket) => {
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`
    )
    socket.on('error', () => {})
    socket.on('data', () => socket.end())
  })
  const servers = [
    web,
    https.createServer(pem, late),
    http2.createServer(late),
    http2.createSecureServer({ ...pem, allowHTTP1: true }, late),
    net.createServer(answerLate)
  ]
  signal.addEventListener('abort', () => send('signal'))
  onDrain(() => send('hook 1'))
  onDrain(async () => {
    send('hook 2')
  })
  if (process.env.HOOK === 'hangs') onDrain(() => new Promise(() => {}))
  if (process.env.HOOK === 'is limited') onDrain(() => new Promise(() => {}), { timeout: 50 })
  if (process.env.HOOK === 'throws')
    onDrain(() => {
      throw new Error('thrown by a hook')
    })
  await Promise.all(servers.map((server, at) => new Promise((resolve) => server.listen(first + at, resolve))))
}
