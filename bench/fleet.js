'use strict'

// npm run bench:fleet [-- --quick]: what a job costs over BullMQ, done inline, in BullMQ's own processes and threads,
// by a pool, and by a fleet. The cost is CPU time of the worker and its children, since rates on a shared machine say
// little. The ways take turns in every round. Ratios are of medians, with the 90 % interval of the ratio over the rounds.

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { Queue, QueueEvents } = require('bullmq')
const { Pool } = require('rspool')
const { Fleet } = require('rspool/fleet')
const { Redis } = require('../__test__/fleet/servers')
const { median, percentile } = require('./lib/measure')

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 5 : 15
const WAYS = ['inline', 'processes', 'threads', 'pool', 'fleet']

/** @param {string} way @param {string} url @param {number} concurrency */
async function start(way, url, concurrency) {
  const name = `bench-${way}-${concurrency}`
  const begin = performance.now()
  const child = fork(path.join(__dirname, 'children/fleet-worker.js'), [way, name, url, String(concurrency)])
  await once(child, 'message')
  const ask = async (/** @type {string} */ what) => {
    child.send(what)
    return Number((await once(child, 'message'))[0])
  }
  const queue = way === 'fleet' ? undefined : new Queue(name, { connection: { url } })
  const events = way === 'fleet' ? undefined : new QueueEvents(name, { connection: { url } })
  await events?.waitUntilReady()
  events?.setMaxListeners(0)
  queue?.setMaxListeners(0)
  const fleet = way === 'fleet' ? new Fleet(name, { connection: url }) : undefined
  /** @param {string} task @param {object} input @param {number} jobs */
  const run = async (task, input, jobs) => {
    if (fleet !== undefined) {
      await Promise.all(Array.from({ length: jobs }, () => fleet.runTask(task, input)))
      return
    }
    let left = jobs
    const done = new Promise((resolve) => {
      events?.on('completed', () => --left === 0 && resolve(undefined))
    })
    const added = Array.from({ length: jobs }, () => ({ name: task, data: input, opts: { removeOnComplete: true } }))
    for (let i = 0; i < jobs; i += 100) await queue?.addBulk(added.slice(i, i + 100))
    await done
    events?.removeAllListeners('completed')
  }
  await run('tiny', { i: 1 }, concurrency)
  const ready = performance.now() - begin
  return {
    way,
    run,
    ready,
    cpu: () => ask('cpu'),
    memory: () => ask('memory'),
    stop: async () => {
      await Promise.all([queue?.close(), events?.close(), fleet?.close()])
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}

/** @param {Map<string, number[]>} samples @param {string} against */
function table(samples, against) {
  const base = samples.get(against) ?? []
  for (const [way, values] of samples) {
    const ratios = values.map((value, i) => value / base[i])
    const range = `${percentile(ratios, 0.05).toFixed(2)}–${percentile(ratios, 0.95).toFixed(2)}`
    console.log(
      `  ${way.padEnd(10)} ${median(values).toFixed(0).padStart(8)} µs   ${median(ratios).toFixed(2)}× ${against} (${range})`
    )
  }
}

/** @param {string} text @param {number} figure @param {number} limit @param {boolean} [least] */
function target(text, figure, limit, least = false) {
  const pass = least ? figure >= limit : figure <= limit
  console.log(`  ${pass ? 'pass' : 'MISS'}  ${text}: ${figure.toFixed(2)}×`)
}

/** @param {number[]} a @param {number[]} b */
const ratio = (a, b) => median(a.map((value, i) => value / b[i]))

/** @param {string} url @param {string} title @param {string} task @param {object} input @param {number} jobs @param {number} concurrency */
async function costs(url, title, task, input, jobs, concurrency) {
  const workers = []
  for (const way of WAYS) workers.push(await start(way, url, concurrency))
  /** @type {Map<string, number[]>} */
  const samples = new Map(WAYS.map((way) => [way, []]))
  for (let round = 0; round <= ROUNDS; round++) {
    for (let i = 0; i < workers.length; i++) {
      const worker = workers[(i + round) % workers.length]
      const before = await worker.cpu()
      await worker.run(task, input, jobs)
      const used = (1000 * ((await worker.cpu()) - before)) / jobs
      // The first round warms up.
      if (round > 0) samples.get(worker.way)?.push(used)
    }
  }
  console.log(`\n${title}: CPU time of a job, ${concurrency} at once`)
  table(samples, 'inline')
  await Promise.all(workers.map((worker) => worker.stop()))
  return samples
}

/** @param {string} url */
async function sizes(url) {
  console.log('\nWorkers of 64 jobs at once: until the first 64 are done, and memory')
  /** @type {Record<string, { ready: number, memory: number }>} */
  const found = {}
  for (const way of ['processes', 'threads', 'pool', 'fleet'])
    for (const concurrency of [2, 64]) {
      const worker = await start(way, url, concurrency)
      const memory = await worker.memory()
      found[`${way} ${concurrency}`] = { ready: worker.ready, memory }
      console.log(
        `  ${way.padEnd(10)} ${String(concurrency).padStart(2)}   ${(worker.ready / 1000).toFixed(1).padStart(6)} s   ${(memory / 2 ** 20).toFixed(0).padStart(5)} MB`
      )
      await worker.stop()
    }
  for (const way of ['pool', 'fleet']) {
    target(`${way}: ready with 64 ≤ 2× of with 2`, found[`${way} 64`].ready / found[`${way} 2`].ready, 2)
    target(`${way}: memory with 64 ≤ 1.5× of with 2`, found[`${way} 64`].memory / found[`${way} 2`].memory, 1.5)
  }
}

/** @param {string} url */
async function mapping(url) {
  const count = quick ? 100_000 : 1_000_000
  const filename = path.join(__dirname, 'workers/fleet.js')
  const inputs = function* () {
    for (let i = 0; i < count; i++) yield { i }
  }
  const rate = async (/** @type {AsyncIterable<unknown>} */ results, /** @type {number} */ n) => {
    const begin = performance.now()
    for await (const _ of results);
    return n / ((performance.now() - begin) / 1000)
  }
  const fleet = new Fleet('bench-map', { connection: url })
  await fleet.work({ pool: { filename, maxThreads: 2 }, tasks: ['tiny'] }).ready
  const local = new Fleet('bench-map-local', { pool: { filename, maxThreads: 2 }, tasks: ['tiny'] })
  const pool = new Pool({ filename, name: 'tiny', maxThreads: 2 })
  const worker = await start('pool', url, 8)
  const few = 2000
  const begin = performance.now()
  await worker.run('tiny', { i: 1 }, few)
  const bulk = few / ((performance.now() - begin) / 1000)
  const over = await rate(fleet.map(inputs(), 'tiny'), count)
  const memory = await rate(local.map(inputs(), 'tiny'), count)
  const plain = await rate(pool.map(inputs()), count)
  console.log(`\nA map of ${count.toLocaleString('en-US')} tiny inputs, a second`)
  for (const [who, value] of Object.entries({
    'addBulk, a job each': bulk,
    'fleet.map, Redis': over,
    'fleet.map, memory': memory,
    'pool.map': plain
  }))
    console.log(`  ${who.padEnd(20)} ${Math.round(value).toLocaleString('en-US').padStart(10)}`)
  target('fleet.map over Redis ≥ 50× a job each', over / bulk, 50, true)
  target('fleet.map in memory ≥ 0.8× pool.map', memory / plain, 0.8, true)
  await Promise.all([fleet.close(), local.close(), pool.close(), worker.stop()])
}

async function main() {
  const redis = await Redis.start()
  const { url } = redis
  const tiny = await costs(url, 'A tiny task', 'tiny', { i: 1 }, quick ? 500 : 2000, 8)
  const big = await costs(url, 'A payload of 1 MB', 'big', { body: 'x'.repeat(1 << 20) }, quick ? 40 : 100, 2)
  console.log('')
  const of = (/** @type {Map<string, number[]>} */ samples, /** @type {string} */ way) => samples.get(way) ?? []
  target('a pool behind BullMQ, tiny: CPU ≤ 1.6× inline', ratio(of(tiny, 'pool'), of(tiny, 'inline')), 1.6)
  target('a pool behind BullMQ, tiny: CPU ≤ 0.7× processes', ratio(of(tiny, 'pool'), of(tiny, 'processes')), 0.7)
  target('a pool behind BullMQ, 1 MB: CPU ≤ 0.5× processes', ratio(of(big, 'pool'), of(big, 'processes')), 0.5)
  target('a fleet, 1 MB: CPU ≤ 0.5× processes', ratio(of(big, 'fleet'), of(big, 'processes')), 0.5)
  await sizes(url)
  await mapping(url)
  await redis.stop()
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
