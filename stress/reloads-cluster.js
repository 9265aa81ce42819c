'use strict'

// npm run reloads:cluster [-- --reloads 20 --only ws,h2load --modules <folder>]: reloads a cluster again and again while
// clients of each kind are at work. No request may fail, and no process may be ended by force.
//
// --modules names a folder with a node_modules that has socket.io, socket.io-client, @nestjs/platform-express and fastify.
// If a package is missing, its kind is left out, with a message. h2load is a program (nghttp2).

const { execFile } = require('node:child_process')
const { createRequire } = require('node:module')
const http = require('node:http')
const path = require('node:path')
const { once } = require('node:events')
const { parseArgs, promisify } = require('node:util')
const { Primary, freePort, requestAt } = require('../__test__/cluster/harness')

const { values } = parseArgs({
  options: {
    reloads: { type: 'string', default: '20' },
    only: { type: 'string' },
    modules: { type: 'string', default: process.cwd() },
    clients: { type: 'string', default: '8' }
  }
})
const RELOADS = Number(values.reloads)
const CLIENTS = Number(values.clients)
const other = createRequire(path.join(path.resolve(values.modules), 'node_modules', 'none.js'))
const host = '127.0.0.1'

/**
 * @typedef {{ asking: boolean, done: number, failures: Record<string, number> }} Load
 * @typedef {(port: number, load: Load) => Promise<void>} Client runs while `load.asking`
 */

/** @param {Load} load @param {string} why */
function fail(load, why) {
  load.failures[why] = (load.failures[why] ?? 0) + 1
}

/** POSTs on kept connections. @type {Client} */
async function post(port, load) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const body = Buffer.alloc(4096, 'x')
  const headers = { 'content-type': 'application/octet-stream' }
  while (load.asking) {
    try {
      const { status, body: text } = await requestAt({ host, port }, '/', { method: 'POST', body, agent, headers })
      if (status >= 300 || text !== 'ok') fail(load, `${status} ${text.slice(0, 40)}`)
      else load.done++
    } catch (error) {
      fail(load, error.code ?? error.message)
    }
  }
  agent.destroy()
}

/** Echoes over WebSockets, each opened again when the server goes away. @type {Client} */
async function echo(port, load) {
  const { WebSocket } = require('ws')
  while (load.asking) {
    await new Promise((resolve) => {
      const socket = new WebSocket(`ws://${host}:${port}`)
      const next = () => (load.asking ? socket.send('hello') : socket.close(1000))
      socket.on('open', next)
      socket.on('message', () => {
        load.done++
        next()
      })
      socket.on('error', (/** @type {Error} */ error) => fail(load, error.message))
      socket.on('close', (/** @type {number} */ code) => {
        if (code !== 1000 && code !== 1001) fail(load, `close ${code}`)
        resolve(undefined)
      })
    })
  }
}

/** Calls that are acknowledged. @type {Client} */
async function acknowledged(port, load) {
  const { io } = other('socket.io-client')
  const socket = io(`http://${host}:${port}`, { transports: ['websocket'], reconnectionDelay: 1, forceNew: true })
  socket.on('connect_error', (/** @type {Error} */ error) => fail(load, error.message))
  while (load.asking) {
    try {
      await socket.timeout(10_000).emitWithAck('echo', 1)
      load.done++
    } catch (error) {
      // If the connection ended, the call has no answer, and the client calls again.
      if (socket.connected) fail(load, error.message)
    }
  }
  socket.close()
}

/** @param {'http'|'https'} protocol @returns {Client} */
const h2load = (protocol) => async (port, load) => {
  while (load.asking) {
    const command = ['-D', '1', '-c', '1', '-m', '8', `${protocol}://${host}:${port}/`]
    const { stdout } = await promisify(execFile)('h2load', command)
    const [, succeeded, failed] = /(\d+) succeeded, (\d+) failed/.exec(stdout) ?? []
    load.done += Number(succeeded)
    for (let n = 0; n < Number(failed); n++) fail(load, 'h2load')
  }
}

/** @type {Record<string, { client: Client, needs: string[] }>} */
const KINDS = {
  'http-proxy': { client: post, needs: [] },
  ws: { client: echo, needs: [] },
  'socket.io': { client: acknowledged, needs: ['socket.io', 'socket.io-client'] },
  h2load: { client: h2load('http'), needs: [] },
  'h2load over TLS': { client: h2load('https'), needs: [] },
  NestJS: { client: post, needs: ['@nestjs/core', '@nestjs/platform-express'] },
  Fastify: { client: post, needs: ['fastify'] }
}

/** @param {string} name */
function isThere(name) {
  try {
    other.resolve(name)
    return true
  } catch {
    return false
  }
}

/** @param {string} kind @param {string} target of a proxy */
async function run(kind, target) {
  const port = await freePort()
  const primary = new Primary(
    { teardown: () => {} },
    {
      app: '../../stress/children/frameworks.js',
      env: { KIND: kind, APP_PORT: String(port), MODULES: path.resolve(values.modules), TARGET: target },
      options: { processes: 2, drainIdle: 500 }
    }
  )
  await primary.ready
  /** @type {Load} */
  const load = { asking: true, done: 0, failures: {} }
  const clients = Array.from({ length: CLIENTS }, () => KINDS[kind].client(port, load))
  let forced = 0
  let slowest = 0
  for (let reload = 0; reload < RELOADS; reload++) {
    const before = load.done
    while (load.done < before + 50) await new Promise((resolve) => setTimeout(resolve, 5))
    const report = await primary.call('reload')
    forced += report.forced
    slowest = Math.max(slowest, report.durationMs)
  }
  load.asking = false
  await Promise.all(clients)
  primary.child.kill('SIGTERM')
  const { code } = await primary.exited
  const failed = Object.values(load.failures).reduce((all, count) => all + count, 0)
  return {
    kind,
    answered: load.done,
    failed,
    forced,
    'slowest reload': `${Math.round(slowest)} ms`,
    exit: code,
    ...load.failures
  }
}

async function main() {
  const target = http.createServer((request, response) => {
    request.resume().on('end', () => response.end('ok'))
  })
  await once(target.listen(0, host), 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (target.address())
  const rows = []
  for (const kind of values.only?.split(',') ?? Object.keys(KINDS)) {
    const missing = KINDS[kind].needs.filter((name) => !isThere(name))
    if (missing.length > 0) console.log(`${kind}: left out, as ${missing.join(' and ')} cannot be found (--modules)`)
    else {
      rows.push(await run(kind, `http://${host}:${port}`))
      console.log(JSON.stringify(rows.at(-1)))
    }
  }
  console.log(`${RELOADS} reloads of 2 processes under ${CLIENTS} clients`)
  console.table(rows)
  target.close()
  if (rows.some(({ failed, forced, exit }) => failed > 0 || forced > 0 || exit !== 0)) process.exit(1)
}

main()
