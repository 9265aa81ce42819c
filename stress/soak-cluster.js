'use strict'

// npm run soak:cluster [-- --minutes 10] [--harms 3] [--seed 1] [--policy rr]: a cluster under load, while processes are
// killed (one or all at once), blocked, stopped, reloaded and scaled at random, several of these at a time. Only a request
// in a killed process may fail, and none may be refused or hang. Descriptors, processes and memory of the primary must
// stay where they were.

const fs = require('node:fs')
const http = require('node:http')
const { parseArgs } = require('node:util')
const { Primary, freePort, request, startLoad, kill } = require('../__test__/cluster/harness')

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    harms: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    policy: { type: 'string', default: 'rr' }
  }
})
const CLIENTS = 8

let seed = Number(values.seed) >>> 0
/** A number from 0 to below `n` (xorshift, so that a seed repeats a run). @param {number} n */
function random(n) {
  seed ^= seed << 13
  seed ^= seed >>> 17
  seed ^= seed << 5
  return (seed >>> 0) % n
}

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** @param {number} pid */
function readingsOf(pid) {
  const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  const states = children.map((child) => fs.readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1][0])
  return {
    descriptors: fs.readdirSync(`/proc/${pid}/fd`).length,
    processes: children.length,
    zombies: states.filter((state) => state === 'Z').length,
    rssMb: Math.round(Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024)
  }
}

async function main() {
  /** @type {(() => void)[]} */
  const cleanups = []
  const port = await freePort()
  const primary = new Primary(
    { teardown: (/** @type {() => void} */ cleanup) => cleanups.push(cleanup) },
    {
      env: { APP_PORT: String(port) },
      options: {
        processes: 3,
        policy: values.policy,
        stallTimeout: 2000,
        backoff: { initial: 1, max: 50 },
        crashLoop: { restarts: 1e6 },
        recycle: { age: 30_000 }
      }
    }
  )
  await primary.ready
  await primary.call('reload')
  const load = startLoad(port, { clients: CLIENTS, keepAlive: false })
  // The heap of a primary under load is larger than that of an idle primary.
  await sleep(Number(values.minutes) * 6000 + 10_000)
  const before = readingsOf(primary.child.pid)
  let deaths = 0
  const end = Date.now() + Number(values.minutes) * 60_000
  /** The pid of a process that is ready, if there is one. */
  const any = async () => {
    const ready = (await primary.call('processes')).filter((/** @type {any} */ { state }) => state === 'ready')
    return ready[random(ready.length || 1)]?.pid
  }
  const death = (/** @type {number} */ pid) => {
    deaths++
    return primary.event('exit', (exit) => exit.pid === pid)
  }
  /** @type {Record<string, () => Promise<unknown>>} */
  const chaos = {
    kill: async () => {
      const pid = await any()
      if (pid !== undefined && kill(pid, 'SIGKILL')) await death(pid)
    },
    killAll: async () => {
      const pids = (await primary.call('processes')).flatMap((/** @type {any} */ { pid }) => pid ?? [])
      await Promise.all(pids.filter((/** @type {number} */ pid) => kill(pid, 'SIGKILL')).map(death))
    },
    terminate: async () => {
      const pid = await any()
      if (pid !== undefined) kill(pid, 'SIGTERM')
    },
    block: async () => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
      try {
        const { pid } = JSON.parse((await request(port, '/', { agent })).body)
        await request(port, '/block-later', { agent })
        await death(pid)
      } catch {
        // The request was in a process that something else killed.
      } finally {
        agent.destroy()
      }
    },
    pause: async () => {
      const pid = await any()
      if (pid === undefined || !kill(pid, 'SIGSTOP')) return
      await sleep(random(1000))
      kill(pid, 'SIGCONT')
    },
    reload: () => primary.call('reload').catch(() => {}),
    scale: () => primary.call('scale', 1 + random(5)).catch(() => {})
  }
  const names = Object.keys(chaos)
  const done = Object.fromEntries(names.map((name) => [name, 0]))
  const harm = async () => {
    while (Date.now() < end) {
      const name = names[random(names.length)]
      await chaos[name]()
      done[name]++
      await sleep(random(500))
    }
  }
  await Promise.all(Array.from({ length: Number(values.harms) }, harm))
  await primary.call('scale', 3)
  const { sent, failures } = await load.stop()
  while ((await primary.call('status')).state !== 'ready') await sleep(100)
  const stillAll = async () => readingsOf(primary.child.pid).processes === 3
  while (!(await stillAll())) await sleep(100)
  const after = readingsOf(primary.child.pid)
  const odd = failures.filter((failure) => !['ECONNRESET', 'EPIPE', 'aborted'].includes(failure))
  console.log({
    ...values,
    done,
    sent,
    failures: failures.length,
    allowed: deaths * CLIENTS,
    odd,
    before,
    after
  })
  primary.child.kill('SIGTERM')
  const { code } = await primary.exited
  for (const cleanup of cleanups) cleanup()
  const good =
    odd.length === 0 &&
    failures.length <= deaths * CLIENTS &&
    after.zombies === 0 &&
    after.descriptors <= before.descriptors + 4 &&
    after.rssMb <= before.rssMb + 60 &&
    code === 0
  console.log(good ? 'good' : 'NOT good')
  process.exitCode = good ? 0 : 1
}

main()
