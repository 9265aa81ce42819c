'use strict'

// node stress/stacks-cluster.js [times]: measures, again and again, how soon `npx rspool stack` answers for a process whose
// event loop hangs, while the primary is stopped.

const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const http = require('node:http')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { cluster } = require('..')

const RSPOOL = path.join(__dirname, '..', 'lib', 'cli', 'main.js')
const LIMIT = 1000

function hangForEver() {
  for (;;) JSON.parse('[1, 2, 3]')
}

if (process.argv[2] === 'cluster' || !cluster.isPrimary) {
  const supervisor = cluster.run(
    (context) => {
      const server = http.createServer((_, response) => {
        response.end('ok')
        setTimeout(hangForEver, 20)
      })
      server.listen(0, () => context.send(server.address().port))
    },
    { processes: 2, stallTimeout: 3_600_000 }
  )
  if (cluster.isPrimary)
    supervisor.once('message', (port) => supervisor.ready.then(() => process.stdout.write(`${port}\n`)))
} else {
  main(Number(process.argv[2] ?? 100)).then((good) => {
    process.exitCode = good ? 0 : 1
  })
}

/** @param {number} times */
async function main(times) {
  const primary = spawn(process.execPath, [__filename, 'cluster'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = await once(primary.stdout, 'data')
  const ask = (...args) =>
    spawnSync(process.execPath, [RSPOOL, ...args, '-p', String(primary.pid)], { encoding: 'utf8' })
  await once(http.get({ port: Number(port), host: '127.0.0.1' }), 'response')
  let slot
  for (; slot === undefined; await sleep(100)) {
    slot = JSON.parse(ask('status', '--json').stdout).processes.find(({ state }) => state === 'unresponsive')?.slot
  }
  primary.kill('SIGSTOP')
  const took = []
  let wrong = 0
  for (let turn = 0; turn < times; turn++) {
    const start = performance.now()
    const { stdout, stderr } = ask('stack', String(slot))
    took.push(performance.now() - start)
    if (!stdout.includes('at hangForEver (')) {
      wrong++
      process.stderr.write(stderr)
    }
  }
  primary.kill('SIGKILL')
  took.sort((a, b) => a - b)
  const soon = took.filter((ms) => ms <= LIMIT).length
  const at = (/** @type {number} */ share) => Math.round(took[Math.min(times - 1, Math.floor(times * share))])
  console.log(
    `${times - wrong} of ${times} right, ${soon} within ${LIMIT} ms (p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} ms)`
  )
  return wrong === 0 && soon === times
}
