'use strict'

// npm run kills:cluster [-- --kills 1000]: kills processes, again and again, that hang and have been handed a connection.
// Another process must answer every client soon after the death, and the primary must have as many descriptors, threads
// and children, and as much heap, at the end as at the beginning.

const fs = require('node:fs')
const { parseArgs } = require('node:util')
const { Primary, freePort, request, kill } = require('../__test__/cluster/harness')

const { values } = parseArgs({ options: { kills: { type: 'string', default: '1000' } } })
const KILLS = Number(values.kills)
const PROCESSES = 3

/** @param {number} pid */
function readingsOf(pid) {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
  return {
    descriptors: fs.readdirSync(`/proc/${pid}/fd`).length,
    sockets: fs
      .readdirSync(`/proc/${pid}/fd`)
      .map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
      .filter((link) => link.startsWith('socket:')).length,
    threads: Number(/Threads:\s+(\d+)/.exec(status)?.[1]),
    children: fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').length
  }
}

/** @param {string} path */
function linkOf(path) {
  try {
    return fs.readlinkSync(path)
  } catch {
    return ''
  }
}

async function main() {
  const port = await freePort()
  const primary = new Primary(
    { teardown: () => {} },
    {
      env: { APP_PORT: String(port) },
      nodeArgs: ['--expose-gc'],
      options: {
        processes: PROCESSES,
        stallTimeout: 600_000,
        stallStack: false,
        backoff: { initial: 1, max: 1 },
        crashLoop: { restarts: 1e9 }
      }
    }
  )
  await primary.ready
  const well = async () => {
    while ((await primary.call('status')).state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 5))
  }
  /** Hangs a process, hands it a connection, and kills it. Gives the time from the kill to the last answer. */
  const round = async () => {
    const { pid } = JSON.parse((await request(port)).body)
    const { slot } = (await primary.call('processes')).find((/** @type {any} */ process) => process.pid === pid)
    await primary.call('send', slot, 'block')
    const answers = Array.from({ length: 2 * PROCESSES }, () => request(port))
    let open = answers.length
    for (const answer of answers) answer.finally(() => open--).catch(() => {})
    // Waits until the other processes have answered theirs. One request is left, with the process that hangs.
    for (const end = Date.now() + 5000; open > 1 && Date.now() < end; ) await new Promise(setImmediate)
    const waiting = open
    const killed = performance.now()
    kill(pid, 'SIGKILL')
    await Promise.all(answers)
    const ms = performance.now() - killed
    // The connection may be handed over before all events of the death have arrived.
    await primary.event('exit', (/** @type {any} */ exit) => exit.pid === pid)
    await well()
    primary.events.length = 0
    return { waiting, ms }
  }
  for (let n = 0; n < 20; n++) await round()
  const reading = async () => ({ ...readingsOf(primary.child.pid), heap: await primary.call('heapUsed') })
  const before = await reading()
  const times = []
  let handedOver = 0
  for (let n = 0; n < KILLS; n++) {
    const { waiting, ms } = await round()
    if (waiting > 0) {
      handedOver += waiting
      times.push(ms)
    }
  }
  const after = await reading()
  times.sort((a, b) => a - b)
  console.log({
    kills: KILLS,
    handedOver,
    msFromKillToAnswer: { median: times[times.length >> 1], worst: times.at(-1) },
    before,
    after
  })
  primary.child.kill('SIGTERM')
  const { code } = await primary.exited
  const good =
    handedOver >= KILLS * 0.9 &&
    after.descriptors <= before.descriptors &&
    after.threads <= before.threads &&
    after.children === before.children &&
    after.heap <= before.heap + 2e6 &&
    code === 0
  console.log(good ? 'good' : 'NOT good')
  process.exitCode = good ? 0 : 1
}

main()
