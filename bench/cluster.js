'use strict'

// npm run bench:cluster [-- --only rates,metrics]: what the cluster helper costs, and how fast it reacts when
// something goes wrong.

const http = require('node:http')
const net = require('node:net')
const path = require('node:path')
const { fork } = require('node:child_process')
const { once } = require('node:events')
const { parseArgs } = require('node:util')
const { interval, median, percentile } = require('./lib/measure')
const { maps } = require('./lib/maps')
const { cpuCount } = require('..')
const { Primary, freePort, request, startLoad, kill } = require('../__test__/cluster/harness')

const ROUNDS = 24
const ROUND_MS = 500
const CONNECTIONS = 32
const REQUEST = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'

/** @type {(() => void)[]} */
const cleanups = []
const owner = { teardown: (/** @type {() => void} */ cleanup) => cleanups.push(cleanup) }

/** The interval in which the median of ratios lies. @param {number[]} ratios */
function within(ratios) {
  const [low, high] = interval(ratios).map((share) => (100 * share).toFixed(1))
  return `${low}–${high} %`
}

/** @param {string} what @param {string} value @param {string} meaning */
function line(what, value, meaning) {
  console.log(`${what.padEnd(44)} ${value.padStart(16)}   ${meaning}`)
}

/** @param {'bare'|'helper'} kind */
async function startServer(kind) {
  const port = await freePort()
  const child = fork(path.join(__dirname, 'children/cluster-server.js'), [kind, String(port), '2'])
  cleanups.push(() => child.kill('SIGKILL'))
  await once(child, 'message')
  return port
}

/** Answers per second, over connections that each send the next request when they have an answer. @param {number} port */
async function rate(port) {
  let answers = 0
  let running = true
  const sockets = Array.from({ length: CONNECTIONS }, () => {
    const socket = net.connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    socket.on('connect', () => socket.write(REQUEST))
    socket.on('data', () => {
      answers++
      if (running) socket.write(REQUEST)
    })
    return socket
  })
  const start = performance.now()
  await new Promise((resolve) => setTimeout(resolve, ROUND_MS))
  running = false
  const seconds = (performance.now() - start) / 1000
  for (const socket of sockets) socket.destroy()
  return answers / seconds
}

async function compareRates() {
  const ports = { bare: await startServer('bare'), helper: await startServer('helper') }
  /** @type {Record<string, number[]>} */
  const rates = { bare: [], helper: [] }
  /** @type {number[]} */
  const ratios = []
  for (let round = 0; round < ROUNDS; round++) {
    const order = /** @type {const} */ (round % 2 === 0 ? ['bare', 'helper'] : ['helper', 'bare'])
    for (const kind of order) rates[kind].push(await rate(ports[kind]))
    ratios.push(rates.helper[round] / rates.bare[round])
  }
  line(
    'requests a second, bare node:cluster',
    median(rates.bare).toFixed(0),
    `${CONNECTIONS} kept-alive connections, 2 processes`
  )
  line('requests a second, cluster.run', median(rates.helper).toFixed(0), 'the same server')
  line(
    'ratio',
    `${(100 * median(ratios)).toFixed(1)} %`,
    `median of ${ROUNDS} pairs, in turns, 90 % interval ${within(ratios)}`
  )
}

/** @param {object} options @param {string} [app] */
async function startCluster(options, app) {
  const port = await freePort()
  const primary = new Primary(owner, { app, options, env: { APP_PORT: String(port) } })
  await primary.ready
  return { primary, port }
}

async function handOvers() {
  const { primary, port } = await startCluster({
    processes: 2,
    crashLoop: { restarts: 1e6 },
    backoff: { initial: 1, max: 1 }
  })
  const times = []
  while (times.length < 9) {
    const { pid } = JSON.parse((await request(port)).body)
    const slot = (await primary.call('processes')).find((process) => process.pid === pid).slot
    // Round robin goes on with the other process, so that the connection after this one is the first process's again.
    await request(port)
    await request(port, '/block-later')
    await new Promise((resolve) => setTimeout(resolve, 60))
    const waiting = [request(port), request(port)].map((answer) => answer.then(() => performance.now()))
    await Promise.race(waiting)
    const from = primary.events.length
    const killed = performance.now()
    kill(pid, 'SIGKILL')
    const answered = Math.max(...(await Promise.all(waiting)))
    if (answered > killed) times.push(answered - killed)
    await primary.event('state', (state) => state.slot === slot && state.to === 'ready', from)
  }
  line(
    'kill to answer of a connection not taken',
    `${median(times).toFixed(1)} ms`,
    `median of ${times.length}, worst ${Math.max(...times).toFixed(1)} ms; bare node:cluster: never`
  )
}

async function reloads() {
  const { primary, port } = await startCluster({ processes: 2 })
  const load = startLoad(port, { clients: 8 })
  const times = []
  for (let n = 0; n < 10; n++) times.push((await primary.call('reload')).durationMs)
  const { sent, failures } = await load.stop()
  line(
    'reload of 2 processes under load',
    `${median(times).toFixed(0)} ms`,
    `median of ${times.length}; ${failures.length} of ${sent} POSTs failed`
  )
  const start = performance.now()
  primary.child.kill('SIGTERM')
  await primary.exited
  line('SIGTERM to exit', `${(performance.now() - start).toFixed(0)} ms`, 'without connections')
}

async function stalls() {
  const { primary, port } = await startCluster({ processes: 1, stallTimeout: 1000 })
  await new Promise((resolve) => setTimeout(resolve, 1000))
  await request(port, '/block-later')
  const start = performance.now()
  const [{ stack }] = await primary.event('stalled')
  line(
    'stall of 1 s, to its report',
    `${(performance.now() - start).toFixed(0)} ms`,
    stack === '' ? 'without a stack' : `with the stack: ${stack.split('\n')[0].trim().split(' (')[0]}`
  )
}

/** Metrics are read in the primary, and by HTTP, while one process hangs and others are killed. */
async function metrics() {
  const metricsPort = await freePort()
  const { primary, port } = await startCluster({
    processes: 3,
    metricsPort,
    stallTimeout: 600_000,
    backoff: { initial: 1, max: 1 },
    crashLoop: { restarts: 1e6 }
  })
  const { slot: hung } = JSON.parse((await request(port)).body)
  await primary.call('send', hung, 'block')
  const counted = (/** @type {string} */ text) =>
    [...text.matchAll(/^(requests_total\{.*\}) (\d+)$/gm)].map(([, name, value]) => [name, Number(value)])
  /** @type {Record<string, number[]>} */
  const times = { call: [], scrape: [] }
  /** @type {Map<any, any>} */
  let before = new Map()
  let wrong = 0
  for (let round = 0; round < 30; round++) {
    const { slot, pid } = (await primary.call('processes')).find(
      (/** @type {any} */ process) => process.slot !== hung && process.state === 'ready'
    )
    const from = primary.events.length
    kill(pid, 'SIGKILL')
    await primary.event('exit', (exit) => exit.pid === pid, from)
    times.call.push((await primary.call('timed', 'metrics')).ms)
    const start = performance.now()
    const { body } = await request(metricsPort, '/metrics')
    times.scrape.push(performance.now() - start)
    const now = new Map(/** @type {[any, any][]} */ (counted(body)))
    if (now.size !== 4 || [...before].some(([name, value]) => now.get(name) < value)) wrong++
    before = now
    await primary.event('state', (state) => state.slot === slot && state.to === 'ready', from)
  }
  for (const [what, list] of Object.entries(times)) {
    line(
      `metrics, ${what === 'call' ? 'the call in the primary' : 'a scrape by HTTP'}`,
      `${median(list).toFixed(1)} ms`,
      `median of ${list.length}, worst ${Math.max(...list).toFixed(1)} ms; ${wrong} incomplete or lower than before`
    )
  }
}

/** Light tasks show what the budget costs, heavy tasks what it is for. */
const BUDGET = { processes: 4, pairs: 12, ms: 800, light: 300_000, heavy: 6_000_000, clients: 4 }

/** The pools of several processes on the CPUs of one process, with the budget and without. */
async function budget() {
  const start = (/** @type {object} */ options) => startCluster(options, 'busy-app.js')
  const clusters = {
    one: await start({ processes: 1 }),
    shared: await start({ processes: BUDGET.processes }),
    free: await start({ processes: BUDGET.processes, budget: false })
  }
  /** @type {Record<string, number[]>} */
  const rates = { one: [], shared: [], free: [] }
  /** @type {Record<string, number[]>} */
  const latencies = { shared: [], free: [] }
  for (let pair = 0; pair < BUDGET.pairs; pair++) {
    const kinds = /** @type {(keyof typeof clusters)[]} */ (Object.keys(clusters))
    for (const kind of pair % 2 === 0 ? kinds : kinds.reverse()) {
      const { primary } = clusters[kind]
      const slots = Array.from({ length: kind === 'one' ? 1 : BUDGET.processes }, (_, slot) => slot)
      const work = (/** @type {number} */ size) =>
        Promise.all(slots.map((slot) => primary.call('request', slot, { ms: BUDGET.ms, size })))
      const answers = await work(BUDGET.light)
      rates[kind].push(answers.reduce((sum, { tasks }) => sum + tasks, 0) / (BUDGET.ms / 1000))
      if (kind === 'one') continue
      const busy = work(BUDGET.heavy)
      latencies[kind].push(...(await lightRequests(clusters[kind].port, BUDGET.ms)))
      await busy
    }
  }
  const ratios = rates.shared.map((rate, at) => rate / rates.one[at])
  line(
    'tasks a second, 1 process of 4 threads',
    median(rates.one).toFixed(0),
    `${cpuCount()} CPUs, tasks of a fraction of a millisecond`
  )
  line(
    `the same, ${BUDGET.processes} processes with the budget`,
    median(rates.shared).toFixed(0),
    `without ${median(rates.free).toFixed(0)}`
  )
  line(
    'ratio',
    `${(100 * median(ratios)).toFixed(1)} %`,
    `median of ${BUDGET.pairs} pairs, 90 % interval ${within(ratios)}`
  )
  for (const share of [0.5, 0.95, 0.99]) {
    line(
      `light requests beside heavy tasks, p${100 * share}`,
      `${percentile(latencies.shared, share).toFixed(1)} ms`,
      `without the budget ${percentile(latencies.free, share).toFixed(1)} ms`
    )
  }
}

/** The time from the kill of a process to the return of its tokens, while the event loop of the primary is blocked. */
async function tokens() {
  const { primary } = await startCluster(
    { processes: 1, backoff: { initial: 1, max: 1 }, crashLoop: { restarts: 1e6 } },
    'busy-app.js'
  )
  /** @type {number[]} */
  const times = []
  while (times.length < 15) {
    const from = primary.events.length
    primary.call('request', 0, { ms: 20_000, size: 3_000_000 }).catch(() => {})
    while ((await primary.call('status')).budget.free > 0) await new Promise(setImmediate)
    const [{ pid }] = await primary.call('processes')
    times.push((await primary.call('timed', 'killHolder', pid)).ms)
    await primary.event('state', ({ to }) => to === 'ready', from)
  }
  line(
    'kill to the return of its CPU tokens',
    `${median(times).toFixed(1)} ms`,
    `median of ${times.length}, worst ${Math.max(...times).toFixed(1)} ms; the loop of the primary is blocked`
  )
}

/** The time from the kill of a process until the next process is ready, with a spare and without. */
async function spares() {
  for (const spare of [0, 1]) {
    const { primary } = await startCluster({
      processes: 2,
      spare,
      backoff: { initial: 1, max: 1 },
      crashLoop: { restarts: 1e6 }
    })
    /** @type {number[]} */
    const times = []
    while (times.length < 15) {
      while (
        (await primary.call('status')).spares.filter((/** @type {any} */ { state }) => state === 'ready').length < spare
      )
        await new Promise((resolve) => setTimeout(resolve, 5))
      const [{ pid }] = await primary.call('processes')
      const from = primary.events.length
      const start = performance.now()
      kill(pid, 'SIGKILL')
      await primary.event('state', ({ slot, to }) => slot === 0 && to === 'ready', from)
      times.push(performance.now() - start)
    }
    line(
      `kill to ready, ${spare === 0 ? 'without a spare' : 'with a spare'}`,
      `${median(times).toFixed(0)} ms`,
      `median of ${times.length}, worst ${Math.max(...times).toFixed(0)} ms; an application that boots in no time`
    )
  }
}

/** How long requests take, if each client sends one after another. @param {number} port @param {number} ms */
async function lightRequests(port, ms) {
  const agent = new http.Agent({ keepAlive: true })
  /** @type {number[]} */
  const times = []
  const end = performance.now() + ms
  const client = async () => {
    while (performance.now() < end) {
      const start = performance.now()
      await request(port, '/', { agent })
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: BUDGET.clients }, client))
  agent.destroy()
  return times
}

function counters() {
  const { SharedRegion } = require('../lib/cluster/region')
  const { ClusterCounters } = require('../lib/cluster/counters')
  const names = { counters: ['hits'], gauges: [], histograms: {} }
  for (const rows of [3, 9]) {
    const region = SharedRegion.create(names, { rows, seats: 1, tokens: 1 })
    for (let row = 0; row < rows; row++) region.useRow(row)
    const own = new ClusterCounters(region, 1, { fd: region.native.fd, names })
    const times = []
    for (let round = 0; round < 9; round++) {
      const start = performance.now()
      for (let n = 0; n < 500_000; n++) own.add('hits')
      times.push(((performance.now() - start) * 1e6) / 500_000)
    }
    line(
      `counters.add, ${rows - 1} processes`,
      `${median(times).toFixed(0)} ns`,
      'adds, and gives the total over all processes'
    )
  }
}

/** Each process asks the limit of `children/limits.js` (1,000 per second) `asked` times per second, for `long` milliseconds. */
const LIMITS = { processes: 4, rounds: 9, ms: 1000, asked: 5000, long: 30_000 }

/** One limit over several processes, beside rate-limiter-flexible's for node:cluster. */
async function limits() {
  const start = async (/** @type {string} */ kind) => {
    const child = fork(path.join(__dirname, 'children/limits.js'), [kind, String(LIMITS.processes)])
    cleanups.push(() => child.kill('SIGKILL'))
    await once(child, 'message')
    return async (/** @type {object} */ how) => {
      child.send(how)
      const [{ calls, allowed, ms }] = await once(child, 'message')
      return { calls: calls / (ms / 1000), allowed: allowed / (ms / 1000) }
    }
  }
  const contestants = { rspool: await start('rspool'), flexible: await start('flexible') }
  /** @type {Record<string, number[]>} */
  const rates = { rspool: [], flexible: [] }
  for (let round = 0; round < LIMITS.rounds; round++) {
    const order = /** @type {const} */ (round % 2 === 0 ? ['rspool', 'flexible'] : ['flexible', 'rspool'])
    for (const kind of order) rates[kind].push((await contestants[kind]({ ms: LIMITS.ms })).calls)
  }
  const ratios = rates.rspool.map((rate, at) => rate / rates.flexible[at])
  line(
    `limit: calls a second over ${LIMITS.processes} processes`,
    median(rates.rspool).toFixed(0),
    `rate-limiter-flexible, 64 in flight each: ${median(rates.flexible).toFixed(0)}`
  )
  line(
    'ratio',
    `${median(ratios).toFixed(0)}×`,
    `median of ${LIMITS.rounds} pairs, in turns, the least ${Math.min(...ratios).toFixed(0)}×`
  )
  const { calls, allowed } = await contestants.rspool({ ms: LIMITS.long, perSecond: LIMITS.asked })
  line(
    'a limit of 1000 a second',
    allowed.toFixed(1),
    `given a second, of ${calls.toFixed(0)} asked for, over ${LIMITS.long / 1000} s (10 at once at the begin)`
  )
}

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const parts = {
  counters,
  maps: () => maps(line, cleanups),
  rates: compareRates,
  handOvers,
  reloads,
  stalls,
  metrics,
  budget,
  tokens,
  limits,
  spares
}

async function main() {
  for (const [name, part] of Object.entries(parts)) {
    if (values.only === undefined || values.only.split(',').includes(name)) await part()
    for (const cleanup of cleanups.splice(0)) cleanup()
  }
}

main()
  .catch((error) => {
    console.error(error)
    process.exitCode = 1
  })
  .finally(() => {
    for (const cleanup of cleanups) cleanup()
  })
