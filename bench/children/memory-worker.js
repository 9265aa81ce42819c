'use strict'

// The resident memory per further worker: of the native lane, of the script lane, or a bare Worker.

const path = require('node:path')
const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const { Pool } = require('../..')
const { sleep } = require('../lib/measure')

const [kind, given] = process.argv.slice(2)
const count = Number(given)
const filename = path.join(__dirname, '..', 'workers', 'collect.js')

async function resident() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await sleep(50)
  }
  return process.memoryUsage.rss()
}

/** Each starts one worker, and gives a function that starts `count` more. */
const kinds = {
  /** Keeps every worker busy until the process ends, so that all of them stay. */
  async native() {
    const pool = new Pool({ maxThreads: count + 1 })
    let total = 0
    const busy = async (/** @type {number} */ n) => {
      total += n
      for (let i = 0; i < n; i++) pool.runTask('test.spin')
      while (pool.stats().running < total) await sleep(10)
    }
    await busy(1)
    return () => busy(count)
  },

  async isolate() {
    const open = async (/** @type {number} */ n) => {
      const pool = new Pool({ filename, minThreads: n, maxThreads: n })
      let ready = 0
      pool.on('workerCreate', () => ready++)
      while (ready < n) await sleep(10)
      await Promise.all(Array.from({ length: n * 4 }, (_, i) => pool.run(i)))
      await sleep(500)
    }
    await open(1)
    return () => open(count)
  },

  async bare() {
    const open = async (/** @type {number} */ n) => {
      const workers = Array.from({ length: n }, () => new Worker(filename, { workerData: { bare: true } }))
      await Promise.all(workers.map((worker) => once(worker, 'message')))
      await Promise.all(
        workers.map((worker) => {
          worker.postMessage(1)
          return once(worker, 'message')
        })
      )
      await sleep(500)
    }
    await open(1)
    return () => open(count)
  }
}

async function main() {
  const more = await kinds[kind]()
  const before = await resident()
  await more()
  console.log(JSON.stringify({ bytes: ((await resident()) - before) / count }))
  process.exit()
}

main()
