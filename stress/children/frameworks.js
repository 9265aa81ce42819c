'use strict'

// An application of one kind for the processes of stress/reloads-cluster.js.

const fs = require('node:fs')
const http = require('node:http')
const { createRequire } = require('node:module')
const path = require('node:path')
const { pathToFileURL } = require('node:url')

const { KIND, APP_PORT, MODULES, TARGET } = process.env
/** Loads packages that this project itself does not need, from another folder. */
const other = createRequire(path.join(MODULES ?? process.cwd(), 'node_modules', 'none.js'))
const take = (/** @type {string} */ name) => import(pathToFileURL(other.resolve(name)).href)
const host = '127.0.0.1'
const port = Number(APP_PORT)

/** @param {http.Server} server @returns {Promise<void>} */
const listen = (server) => new Promise((resolve) => server.listen(port, host, resolve))

/** @type {Record<string, (context: any) => Promise<unknown>>} */
const kinds = {
  async 'http-proxy'() {
    const proxy = require('http-proxy').createProxyServer({ target: TARGET })
    await listen(http.createServer((request, response) => proxy.web(request, response)))
  },
  async ws() {
    const { WebSocketServer } = require('ws')
    const server = http.createServer()
    new WebSocketServer({ server }).on('connection', (/** @type {any} */ socket) => {
      socket.on('message', (/** @type {Buffer} */ message) => socket.send(message))
    })
    await listen(server)
  },
  async 'socket.io'() {
    const { Server } = await take('socket.io')
    const server = http.createServer()
    new Server(server, { transports: ['websocket'] }).on('connection', (/** @type {any} */ socket) => {
      socket.on('echo', (/** @type {unknown} */ value, /** @type {(value: unknown) => void} */ answer) => answer(value))
    })
    await listen(server)
  },
  async h2load() {
    const server = require('node:http2').createServer((request, response) => response.end('ok'))
    await listen(/** @type {any} */ (server))
  },
  async 'h2load over TLS'() {
    const pem = (/** @type {string} */ name) => fs.readFileSync(path.join(__dirname, '../../__test__/cluster', name))
    const keys = { key: pem('key.pem'), cert: pem('cert.pem') }
    const server = require('node:http2').createSecureServer(keys, (request, response) => response.end('ok'))
    await listen(/** @type {any} */ (server))
  },
  async NestJS() {
    await import('reflect-metadata')
    const { Module, Controller, Post } = await take('@nestjs/common')
    const { NestFactory } = await take('@nestjs/core')
    class Answers {
      answer() {
        return 'ok'
      }
    }
    const found = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(Answers.prototype, 'answer'))
    Post('/')(Answers.prototype, 'answer', found)
    Controller()(Answers)
    class App {}
    Module({ controllers: [Answers] })(App)
    const app = await NestFactory.create(App, { logger: false })
    app.enableShutdownHooks()
    await app.listen(port, host)
  },
  async Fastify({ onDrain }) {
    const { default: fastify } = await take('fastify')
    const app = fastify()
    app.addContentTypeParser('*', (_, payload, done) => payload.resume().on('end', () => done(null)))
    app.post('/', async () => 'ok')
    onDrain(() => app.close())
    await app.listen({ port, host })
  }
}

module.exports = (/** @type {any} */ context) => kinds[/** @type {string} */ (KIND)](context)
