'use strict'

// A worker of a queue, in one of the ways that bench/fleet.js compares. It says when it takes jobs. To 'cpu' it answers
// how much CPU time it and its children have used, in milliseconds, and to 'memory' how much memory, in bytes.

const fs = require('node:fs')
const path = require('node:path')
const { Worker } = require('bullmq')

const [way, name, url, concurrency] = process.argv.slice(2)
const connection = { url, maxRetriesPerRequest: null }
const tasks = path.join(__dirname, '../workers/fleet.js')
const options = { connection, concurrency: Number(concurrency) }
const threads = 2

/** The pids of this process and of all its descendants. @param {number} [pid] @returns {number[]} */
function family(pid = process.pid) {
  const children = fs
    .readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) =>
      fs.readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
    )
  return [pid, ...children.flatMap((child) => family(child))]
}

/** @param {number} pid clock ticks of 10 ms */
function cpu(pid) {
  const fields = fs
    .readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return 10 * (Number(fields[11]) + Number(fields[12]))
}

/** @param {number} pid */
function memory(pid) {
  return 1024 * Number(/^Pss: +(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1])
}

process.on('message', (what) => {
  const read = what === 'cpu' ? cpu : memory
  process.send?.(family().reduce((sum, pid) => sum + read(pid), 0))
})

/** @type {Record<string, () => Promise<unknown>>} */
const ways = {
  inline: () => new Worker(name, async (job) => require(tasks)[job.name](job.data), options).waitUntilReady(),
  processes: () => new Worker(name, path.join(__dirname, '../workers/fleet-sandbox.js'), options).waitUntilReady(),
  threads: () =>
    new Worker(name, path.join(__dirname, '../workers/fleet-sandbox.js'), {
      ...options,
      useWorkerThreads: true
    }).waitUntilReady(),
  pool: () => {
    const { Pool } = require('rspool')
    const { createProcessor } = require('rspool/bullmq')
    const pool = new Pool({ filename: tasks, minThreads: threads, maxThreads: threads })
    return new Worker(name, createProcessor(pool, { tasks: ['tiny', 'big'] }), options).waitUntilReady()
  },
  fleet: () => {
    const { Fleet } = require('rspool/fleet')
    const perThread = Math.ceil(Number(concurrency) / threads)
    const pool = { filename: tasks, minThreads: threads, maxThreads: threads, concurrentTasksPerWorker: perThread }
    return new Fleet(name, { connection: url }).work({ pool, tasks: ['tiny', 'big'] }).ready
  }
}

ways[way]().then(() => process.send?.('ready'))
process.on('disconnect', () => process.exit())
