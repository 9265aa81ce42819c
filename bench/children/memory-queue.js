'use strict'

// The memory per queued number task: in the scheduler (resident memory less the heap of V8), and in V8.

const path = require('node:path')
const { Pool } = require('../..')
const { sleep } = require('../lib/measure')

const count = Number(process.argv[2])

async function main() {
  const pool = new Pool({ filename: path.join(__dirname, '..', 'workers', 'stuck.js'), maxThreads: 1 })
  pool.run(0)
  while (pool.stats().running === 0) await sleep(10)
  globalThis.gc?.()
  const before = process.memoryUsage()
  for (let i = 0; i < count; i++) pool.run(i)
  globalThis.gc?.()
  await sleep(100)
  const after = process.memoryUsage()
  const heap = after.heapTotal - before.heapTotal
  console.log(
    JSON.stringify({
      native: (after.rss - before.rss - heap) / count,
      heap: (after.heapUsed - before.heapUsed) / count
    })
  )
  process.exit()
}

main()
