'use strict'

// Servers whose requests belong to sessions: what they see of a request, and what they do with its body.

const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const http2 = require('node:http2')
const https = require('node:https')
const path = require('node:path')

const file = (name) => fs.readFileSync(path.join(__dirname, name))

module.exports = async (context) => {
  const { slot, generation } = context
  /** What an application may ask of a request. */
  const seen = (request, socket = request.socket) => ({
    slot,
    generation,
    pid: process.pid,
    method: request.method,
    url: request.url,
    httpVersion: request.httpVersion,
    rawHeaders: request.rawHeaders.filter((_, at, all) => !/^cookie$/i.test(all[at - (at % 2)])),
    remote: [socket.remoteAddress, socket.remotePort, socket.remoteFamily],
    local: [socket.localAddress, socket.localPort, socket.localFamily, socket.address()],
    encrypted: socket.encrypted === true,
    tls: socket.encrypted && [socket.getProtocol(), socket.getCipher().name, socket.authorized, socket.servername],
    certificate: socket.encrypted && socket.getPeerCertificate().subject?.CN
  })
  const routes = {
    '/new': (request, response) => response.end(context.sessionId()),
    '/seen': (request, response) => {
      response.setHeader('X-Two', ['a', 'b'])
      response.setHeader('set-cookie', ['one=1', 'two=2'])
      response.writeHead(201, 'Seen So')
      response.end(JSON.stringify(seen(request)))
    },
    '/echo': (request, response) => {
      const hash = crypto.createHash('sha256')
      request.on('data', (chunk) => hash.update(chunk))
      const length = request.headers['x-length']
      const trails = length === undefined && request.httpVersion === '1.1'
      if (length !== undefined) response.setHeader('content-length', length)
      if (trails) response.setHeader('trailer', 'x-hash')
      request.pipe(response, { end: false })
      request.on('end', () => {
        const trailers = { 'x-hash': hash.digest('hex'), 'x-trailer': request.trailers['x-trailer'] ?? '' }
        if (trails) response.addTrailers(trailers)
        response.end()
      })
    },
    '/nothing': (request, response) => {
      response.statusCode = 204
      response.end()
    },
    '/bare': (request, response) => {
      response.sendDate = false
      response.removeHeader('connection')
      response.end('bare')
    },
    // The head comes long before the rest.
    '/head-first': (request, response) => {
      response.flushHeaders()
      request.on('data', () => {}).on('end', () => response.end('rest'))
    },
    '/large': (request, response) => {
      for (let at = 0; at < 20; at++) response.setHeader(`x-large-${at}`, 'v'.repeat(10_000))
      response.end(String(request.rawHeaders.join('').length))
    },
    '/hints': (request, response) => {
      response.writeProcessing()
      response.writeEarlyHints({ link: ['</a>; rel=preload', '</b>; rel=preload'] })
      response.end('hinted')
    },
    // Answers without waiting for the body.
    '/early': (request, response) => {
      response.statusCode = 413
      response.end('too large')
    },
    '/limit': (request, response) => {
      response.setTimeout(200, () => {
        response.statusCode = 503
        response.end('too late')
      })
    },
    // Writes until the client no longer takes it.
    '/flood': (request, response) => {
      response.on('close', () => context.send({ flooded: slot }))
      const chunk = Buffer.alloc(2 ** 20)
      const write = () => {
        while (response.write(chunk));
        context.send({ full: slot })
      }
      response.on('drain', write)
      write()
    },
    // Ends its connection in the middle of the body.
    '/breaks': (request, response) => {
      response.setHeader('content-length', 100)
      response.write('half', () => response.destroy())
    },
    '/hang': (request) => {
      request.socket.on('close', () => context.send({ closed: slot }))
      context.send({ hangs: slot })
    },
    '/slow': (request, response) => {
      context.send({ slow: slot })
      context.onMessage(() => response.end('slow'))
    }
  }
  const handle = (request, response) => {
    const route = routes[new URL(request.url, 'http://x').pathname]
    if (route) return route(request, response)
    response.statusCode = 404
    response.end()
  }
  const upgrade = (request, socket, head) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n')
    socket.write(`${JSON.stringify(seen(request, socket))}\n`)
    if (head.length > 0) socket.write(head)
    socket.on('error', () => {}).pipe(socket)
  }
  const secure = { key: file('key.pem'), cert: file('cert.pem'), requestCert: true, rejectUnauthorized: false }
  const port = Number(process.env.APP_PORT)
  const servers = [
    http.createServer(handle),
    https.createServer(secure, handle),
    http2.createSecureServer({ ...secure, allowHTTP1: true }, handle)
  ]
  servers[0].on('checkContinue', (request, response) => {
    if (request.headers['x-refuse']) {
      response.statusCode = 417
      return response.end()
    }
    response.writeContinue()
    handle(request, response)
  })
  for (const [at, server] of servers.entries()) server.on('upgrade', upgrade).listen(port + at, '127.0.0.1')
}

/** The session is in a header. */
module.exports.byHeader = (head) => head.headers['x-session']
