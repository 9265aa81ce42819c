'use strict'

// Servers of the tests' own, on free ports and in temporary folders, or the ones that REDIS_URL and
// DATABASE_URL name. Each ends with the process that started it.

const { spawn, spawnSync, execFileSync } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')

/** @returns {Promise<number>} */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {net.AddressInfo} */ (server.address())
  server.close()
  await once(server, 'close')
  return port
}

/** @param {string} command */
function onPath(command) {
  return spawnSync('which', [command]).status === 0
}

/** Resolves when something answers there. @param {number} port @param {import('node:child_process').ChildProcess} child */
async function answers(port, child) {
  let output = ''
  const note = (/** @type {Buffer} */ chunk) => {
    output += chunk
  }
  child.stdout?.on('data', note)
  child.stderr?.on('data', note)
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}: ${output}`)
    const socket = net.connect(port, '127.0.0.1')
    const open = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (open) return
    await new Promise(setImmediate)
  }
}

/** A Redis that can be killed and started again with what it has kept. */
class Redis {
  /** @param {{ persist?: boolean }} [options] */
  static async start({ persist = false } = {}) {
    if (process.env.REDIS_URL && !persist) return { url: process.env.REDIS_URL, stop: async () => {} }
    const redis = new Redis(await freePort(), fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-redis-')), persist)
    await redis.up()
    return redis
  }

  /** @param {number} port @param {string} folder @param {boolean} persist */
  constructor(port, folder, persist) {
    this.port = port
    this.folder = folder
    this.persist = persist
    this.url = `redis://127.0.0.1:${port}`
  }

  async up() {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder, '--save', '']
    args.push('--appendonly', this.persist ? 'yes' : 'no', '--appendfsync', 'always')
    this.child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    process.once('exit', () => this.child?.kill('SIGKILL'))
    await answers(this.port, this.child)
    await this.loaded()
  }

  /** A server that reads its file answers, but refuses. */
  async loaded() {
    for (;;) {
      const socket = net.connect(this.port, '127.0.0.1')
      socket.end('PING\r\n')
      let answer = ''
      for await (const chunk of socket) answer += chunk
      if (answer.startsWith('+PONG')) return
    }
  }

  async kill() {
    const { child } = this
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  async stop() {
    await this.kill()
    fs.rmSync(this.folder, { recursive: true, force: true })
  }
}

/** @returns {Promise<{ url: string, stop: () => Promise<void> }>} */
async function startPostgres() {
  if (process.env.DATABASE_URL) return { url: process.env.DATABASE_URL, stop: async () => {} }
  const bin = path.dirname(fs.realpathSync(execFileSync('which', ['postgres'], { encoding: 'utf8' }).trim()))
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-postgres-'))
  const port = await freePort()
  // It refuses to be root.
  const as = process.getuid?.() === 0 ? account('postgres') : {}
  if (as.uid !== undefined && as.gid !== undefined) fs.chownSync(folder, as.uid, as.gid)
  const data = path.join(folder, 'data')
  execFileSync(path.join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync'], {
    ...as,
    stdio: 'pipe'
  })
  const settings = [
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'fsync=off',
    '-c',
    'max_connections=300',
    '-c',
    `unix_socket_directories=${folder}`
  ]
  const child = spawn(path.join(bin, 'postgres'), ['-D', data, '-p', String(port), ...settings], {
    ...as,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  process.once('exit', () => child.kill('SIGKILL'))
  await answers(port, child)
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGINT')
      await exited
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** @param {string} user @returns {{ uid?: number, gid?: number, cwd?: string }} */
function account(user) {
  const [, , uid, gid] = execFileSync('getent', ['passwd', user], { encoding: 'utf8' }).split(':')
  return { uid: Number(uid), gid: Number(gid), cwd: '/' }
}

/** A way to a server that can be made to swallow all packets, without a word to either end. */
class Network {
  /** @param {number} to */
  static async start(to) {
    const network = new Network(to)
    network.server.listen(0, '127.0.0.1')
    await once(network.server, 'listening')
    return network
  }

  swallows = false
  /** @type {Set<net.Socket>} */
  sockets = new Set()

  /** @param {number} to */
  constructor(to) {
    this.server = net.createServer((near) => {
      const far = net.connect(to, '127.0.0.1')
      this.#pass(near, far)
      this.#pass(far, near)
    })
  }

  /** @param {net.Socket} from @param {net.Socket} to */
  #pass(from, to) {
    this.sockets.add(from)
    from.on('data', (chunk) => {
      if (!this.swallows) to.write(chunk)
    })
    from.on('error', () => {})
    from.on('close', () => {
      this.sockets.delete(from)
      if (!this.swallows) to.destroy()
    })
  }

  get url() {
    const { port } = /** @type {net.AddressInfo} */ (this.server.address())
    return `redis://127.0.0.1:${port}`
  }

  /** Connections are made anew, and all passes again. */
  heal() {
    this.swallows = false
    for (const socket of this.sockets) socket.destroy()
  }

  stop() {
    this.heal()
    this.server.close()
  }
}

module.exports = { Redis, Network, startPostgres, onPath, freePort }
