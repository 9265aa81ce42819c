'use strict'

// Starts primaries, speaks with them, and loads them.

const http = require('node:http')
const net = require('node:net')
const path = require('node:path')
const { once, EventEmitter } = require('node:events')
const { setInterval } = require('node:timers/promises')
const { spawn } = require('node:child_process')

const LIMIT = 45_000

class Primary extends EventEmitter {
  #nextId = 1
  events = []
  output = ''

  /** Starts `app` (a file beside this one) or `file`; the test kills what is left of it. */
  constructor(t, { app = 'app.js', file, options = {}, env = {}, nodeArgs = [], command, sockets = [] }) {
    super()
    this.setMaxListeners(0)
    const args = [
      ...nodeArgs,
      path.join(__dirname, 'primary.js'),
      JSON.stringify({ app, file, options: { counters: ['requests'], ...options } })
    ]
    const [program, first] = command ?? [process.execPath, []]
    this.child = spawn(program, [...first, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...sockets, 'ipc'],
      serialization: 'advanced'
    })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text
      })
    }
    this.exited = once(this.child, 'close').then(([code, signal]) => ({ code, signal }))
    this.child.on('message', (message) => {
      if (message.event) this.events.push(message)
      this.emit('message', message)
    })
    t.teardown(() => {
      for (const pid of this.pids) kill(pid, 'SIGKILL')
      this.child.kill('SIGKILL')
    })
  }

  /** Every process that this primary ever had. */
  get pids() {
    return [
      ...new Set(
        this.events
          .filter(({ event }) => event === 'state' || event === 'spare')
          .map(({ values }) => values[0].pid)
          .filter(Boolean)
      )
    ]
  }

  /** The values of the first event of that name, past or future, for which `test` holds. */
  async event(name, test = () => true, from = 0) {
    const found = this.events.slice(from).find(({ event, values }) => event === name && test(...values))
    if (found) return found.values
    return this.#wait(`the event '${name}'`, (message) =>
      message.event === name && test(...message.values) ? message.values : undefined
    )
  }

  get ready() {
    return this.event('ready')
  }

  /** Calls a method of the supervisor, or one that the program adds. */
  async call(method, ...args) {
    const id = this.#nextId++
    const answer = this.#wait(`${method}()`, (message) => (message.id === id ? message : undefined))
    this.child.send({ id, call: method, args })
    const { value, error } = await answer
    if (error) throw Object.assign(new Error(error.message), error)
    return value
  }

  /** Until the event loop of a process turns no more. */
  async blocked(pid) {
    await until(() => this.output.includes(`blocked ${pid};`))
  }

  #wait(what, pick) {
    return new Promise((resolve, reject) => {
      const done = (settle, value) => {
        clearTimeout(timer)
        this.off('message', onMessage)
        this.child.off('close', onClose)
        settle(value)
      }
      const onMessage = (message) => {
        const picked = pick(message)
        if (picked !== undefined) done(resolve, picked)
      }
      const onClose = (code) =>
        done(reject, new Error(`the primary ended (${code}) while ${what} was awaited\n${this.output}`))
      const timer = setTimeout(() => done(reject, new Error(`${what} did not come\n${this.output}`)), LIMIT)
      this.on('message', onMessage)
      this.child.on('close', onClose)
    })
  }
}

/**
 * A primary whose app listens on a port of its own, when all is ready.
 * @param {any} t
 * @param {{ app?: string, file?: string, options?: object, env?: object, command?: any, ready?: boolean }} [parts]
 */
async function startPrimary(t, { env, ready = true, ...parts } = {}) {
  // The servers of every kind take five.
  const port = await freePort(5)
  const primary = new Primary(t, { ...parts, env: { APP_PORT: String(port), ...env } })
  if (ready) await primary.ready
  const pids = async () => (await primary.call('processes')).map(({ pid }) => pid)
  return { primary, port, pids }
}

/** Looks again and again until `test` holds. @param {() => unknown} test may be async */
async function until(test) {
  if (await test()) return
  for await (const _ of setInterval(5)) if (await test()) return
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}

/**
 * Resolves when there is no process `pid` (or only its remains). Its first thread may be a zombie while others still end:
 * until then its sockets are open.
 */
async function gone(pid) {
  const fs = require('node:fs')
  const isZombie = (thread) => {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
      return 'ZX'.includes(stat[stat.lastIndexOf(')') + 2])
    } catch {
      return true
    }
  }
  await until(() => {
    try {
      return fs.readdirSync(`/proc/${pid}/task`).every(isZombie)
    } catch {
      return true
    }
  })
}

/**
 * The first of `count` ports in a row that are free, from below those that the system gives to clients:
 * one of these could be taken before it is used.
 */
async function freePort(count = 1) {
  for (;;) {
    const first = 10_000 + Math.floor(Math.random() * 20_000)
    const servers = Array.from({ length: count }, (_, at) => net.createServer().listen(first + at))
    const free = await Promise.all(
      servers.map((server) =>
        once(server, 'listening').then(
          () => true,
          () => false
        )
      )
    )
    await Promise.all(servers.filter((_, at) => free[at]).map((server) => once(server.close(), 'close')))
    if (free.every(Boolean)) return first
  }
}

/**
 * Several requests at once, each on a connection of its own.
 * @returns what resolves when all are connected, and with all answers
 */
function ask(port, count) {
  const agents = Array.from({ length: count }, () => new http.Agent())
  const connected = Promise.all(
    agents.map((agent) => {
      const { createConnection } = agent
      return new Promise((resolve) => {
        agent.createConnection = (...args) => Reflect.apply(createConnection, agent, args).once('connect', resolve)
      })
    })
  )
  return { connected, answers: Promise.all(agents.map((agent) => request(port, '/', { agent }))) }
}

/** One request, no retry; resolves with { status, headers, body } when all has come. */
function request(port, url = '/', { host = '127.0.0.1', ...options } = {}) {
  return requestAt({ host, port }, url, options)
}

/** The same at any place: { host, port } or { path }. */
function requestAt({ path: socketPath, ...place }, url = '/', { method = 'GET', headers, body, agent = false } = {}) {
  return new Promise((resolve, reject) => {
    const options = { ...place, socketPath, path: url, method, headers, agent, timeout: 30_000 }
    const outgoing = http.request(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: text }))
      response.on('error', reject)
      response.on('aborted', () => reject(new Error('aborted')))
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** POSTs of 16 kB from `clients` clients, until it is stopped: `await load.stop()` gives { sent, failures }. */
function startLoad(port, { clients = 16, keepAlive = true } = {}) {
  const body = Buffer.alloc(16_384, 'x')
  const failures = []
  let sent = 0
  let running = true
  const agent = keepAlive ? new http.Agent({ keepAlive: true, maxSockets: clients }) : false
  const client = async () => {
    while (running) {
      try {
        const { status, body: answer } = await request(port, '/', { method: 'POST', body, agent })
        if (status !== 200 || answer !== String(body.length)) failures.push(`${status} ${answer}`)
      } catch (error) {
        failures.push(error.code ?? error.message)
      }
      sent++
    }
  }
  const all = Promise.all(Array.from({ length: clients }, client))
  return {
    get sent() {
      return sent
    },
    failures,
    async stop() {
      running = false
      await all
      if (agent) agent.destroy()
      return { sent, failures }
    }
  }
}

module.exports = { Primary, startPrimary, until, freePort, request, requestAt, ask, startLoad, gone, kill }
