'use strict'

// A file that was written for worker_threads runs in a pool as it is.
//   node examples/bare-worker.js

const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const { WorkerPool } = require('rspool')

const filename = require.resolve('./bare-worker.script')

async function main() {
  // By hand: one worker, one message, one answer, and no queue, no limit, no errors a task.
  const worker = new Worker(filename)
  worker.postMessage(20)
  const [answer] = await once(worker, 'message')
  console.log(`by hand: fibonacci(20) = ${answer}`)
  await worker.terminate()

  const pool = new WorkerPool(2, filename)
  const inputs = [5, 10, 15, 20, 25]
  const answers = await Promise.all(inputs.map((n) => pool.runTask(n)))
  inputs.forEach((n, i) => {
    console.log(`pool: fibonacci(${n}) = ${answers[i]}`)
  })
  await pool.runTask(-1).catch((error) => console.log(`pool: ${error.name}: ${error.message}`))
  console.log(`pool: fibonacci(30) = ${await pool.runTask(30)}`)
  await pool.close()
}

main()
