'use strict'

// Serves the page of `dash`, and its data by server-sent events. It listens only on this machine, and serves only
// clients that know the token in its address.

const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { once } = require('node:events')
const { Viewer } = require('../view')
const { processOf, ask } = require('../helper-thread')
const { ASK } = require('../../native/wire')

const HOST = '127.0.0.1'
const LOOK_EVERY = 500
const HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'content-security-policy':
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
}

class Dash {
  #cluster
  #token = crypto.randomBytes(24).toString('base64url')
  #server = http.createServer((request, response) => this.#serve(request, response))
  /** The clients that get the events. @type {Set<http.ServerResponse>} */
  #readers = new Set()
  /** @type {NodeJS.Timeout|undefined} */
  #timer
  /** @type {Viewer} */
  #viewer

  /** @param {import('../clusters').Cluster} cluster */
  constructor(cluster) {
    this.#cluster = cluster
    this.#viewer = new Viewer(cluster)
  }

  /** @param {number} port 0 is any @returns {Promise<string>} the address with the token */
  async listen(port) {
    this.#server.listen(port, HOST)
    await once(this.#server, 'listening')
    return `http://${HOST}:${this.#port}/?token=${this.#token}`
  }

  get #port() {
    return /** @type {import('node:net').AddressInfo} */ (this.#server.address()).port
  }

  close() {
    clearInterval(this.#timer)
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** @param {http.IncomingMessage} request @param {http.ServerResponse} response */
  #serve(request, response) {
    const { method, headers } = request
    const { pathname, searchParams } = new URL(request.url ?? '/', `http://${HOST}`)
    // A foreign host name that leads here gets nothing.
    const hosts = [`${HOST}:${this.#port}`, `localhost:${this.#port}`]
    if (!hosts.includes(headers.host ?? '') || !this.#knows(searchParams.get('token') ?? ''))
      return respond(response, 403, 'text/plain', 'The address needs its token.\n')
    if (method === 'GET' && pathname === '/') return respond(response, 200, 'text/html; charset=utf-8', page())
    if (method === 'GET' && pathname === '/events') return this.#follow(response)
    if (method === 'POST' && pathname === '/stack')
      return this.#stack(Number(searchParams.get('slot'))).then(
        (stack) => respond(response, 200, 'application/json', JSON.stringify({ stack })),
        ({ message }) => respond(response, 200, 'application/json', JSON.stringify({ error: message }))
      )
    respond(response, 404, 'text/plain', 'There is no such page.\n')
  }

  #knows(/** @type {string} */ token) {
    const [given, own] = [Buffer.from(token), Buffer.from(this.#token)]
    return given.length === own.length && crypto.timingSafeEqual(given, own)
  }

  /** @param {number} slot */
  #stack(slot) {
    const process = processOf(new Viewer(this.#cluster), slot)
    return ask(this.#cluster, process, { kind: ASK.STACK, timeout: 5000 })
  }

  /** @param {http.ServerResponse} response */
  #follow(response) {
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' })
    response.flushHeaders()
    this.#readers.add(response)
    response.on('close', () => {
      this.#readers.delete(response)
      if (this.#readers.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    })
    // The cluster is not read while there is no client.
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#tell(), LOOK_EVERY)
    this.#tell()
  }

  #tell() {
    const text = `data: ${JSON.stringify(this.#viewer.look())}\n\n`
    for (const reader of this.#readers) {
      // A client that does not keep up skips this event, and gets the next.
      if (reader.writableLength < 1 << 20) reader.write(text)
    }
  }
}

const page = () => fs.readFileSync(path.join(__dirname, 'page.html'), 'utf8')

/** @param {http.ServerResponse} response @param {number} status @param {string} type @param {string} body */
function respond(response, status, type, body) {
  response.writeHead(status, { ...HEADERS, 'content-type': type })
  response.end(body)
}

module.exports = { Dash }
