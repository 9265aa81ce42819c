'use strict'

// Two worker machines, of which one is killed on the way, and nothing is lost: npm start -- --fleet. It starts a
// Redis of its own on a free port, or takes the one that REDIS_URL names.

const { fork, spawn } = require('node:child_process')
const { EventEmitter, once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { setTimeout: pause } = require('node:timers/promises')

const TASKS = 60
const BELOW = 300_000
/** A killed worker's tasks go on after about one and a half of these. */
const LOCK = 2000

/** @returns {Promise<{ url: string, stop: () => void }>} */
async function engine() {
  if (process.env.REDIS_URL) return { url: process.env.REDIS_URL, stop: () => {} }
  const probe = net.createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = /** @type {net.AddressInfo} */ (probe.address())
  probe.close()
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-demo-'))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder]
  const child = spawn('redis-server', args, { stdio: 'ignore' })
  const missing = once(child, 'error').then(() => {
    throw new Error('redis-server was not found: install it, or name a Redis as REDIS_URL')
  })
  await Promise.race([missing, answers(port)])
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: () => {
      child.kill()
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** @param {number} port */
async function answers(port) {
  for (;;) {
    const socket = net.connect(port, '127.0.0.1')
    const open = await once(socket, 'connect').then(
      () => true,
      () => false
    )
    socket.destroy()
    if (open) return
    await pause(20)
  }
}

/** @typedef {{ name: string, child: import('node:child_process').ChildProcess, done: number, state: string }} Machine */

/** @param {string} name @param {string} url @returns {Promise<Machine>} */
async function machine(name, url) {
  const env = { ...process.env, REDIS_URL: url, LOCK_DURATION: String(LOCK) }
  const child = fork(path.join(__dirname, 'worker.js'), { env })
  /** @type {Machine} */
  const started = { name, child, done: 0, state: 'starts' }
  child.on('message', (said) => {
    if (said === 'ready') started.state = 'works'
    else started.done = Number(said)
  })
  child.on('exit', (_, signal) => {
    started.state = signal === 'SIGKILL' ? 'killed' : 'ended'
  })
  await once(child, 'message')
  return started
}

/** @param {Machine[]} machines @param {number} done @param {number} start */
function draw(machines, done, start) {
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const rows = machines.map(
    ({ name, state, done }) => `  ${name}   ${state.padEnd(7)} ${String(done).padStart(3)} tasks`
  )
  const bar = '█'.repeat(Math.round((30 * done) / TASKS)).padEnd(30, '·')
  const lines = [`  ${bar} ${done} of ${TASKS}, ${seconds} s`, ...rows]
  if (process.stdout.isTTY)
    process.stdout.write(`${lines.map((line) => `\x1b[2K${line}\n`).join('')}\x1b[${lines.length}A`)
  return lines
}

async function main() {
  const { Fleet } = require('../../fleet')
  const { url, stop } = await engine()
  console.log(`\nA fleet over ${url.replace(/\/\/.*@/, '//')}: two machines count primes, one of them is killed.\n`)
  const machines = [await machine('machine 1', url), await machine('machine 2', url)]
  const fleet = new Fleet('primes', { connection: url })
  const start = performance.now()
  let done = 0
  const progress = new EventEmitter()
  const quarter = once(progress, 'quarter')
  const results = Array.from({ length: TASKS }, async () => {
    const value = await fleet.runTask('primes', BELOW, { retries: 3 })
    if (++done === TASKS / 4) progress.emit('quarter')
    return value
  })
  const all = Promise.all(results)
  const drawing = setInterval(() => draw(machines, done, start), 100)
  await quarter
  machines[0].child.kill('SIGKILL')
  machines.push(await machine('machine 3', url))
  const values = await all
  clearInterval(drawing)
  const right = values.every((value) => value === values[0])
  console.log(`${draw(machines, done, start).join('\n')}\n`)
  console.log(
    `${values.length} results${right ? ', all right' : ''}; none lost, though machine 1 was killed with SIGKILL.`
  )
  for (const { child } of machines) child.kill()
  await fleet.close()
  stop()
}

if (require.main === module)
  main().catch((error) => {
    console.error(error.message)
    process.exit(1)
  })

module.exports = { main }
