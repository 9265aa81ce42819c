'use strict'

// A function as a task: no file, compiled once in each worker. It sees its arguments and nothing else
// of the code around it.
//   node examples/inline-function.js

const { Pool } = require('rspool')

async function main() {
  const pool = new Pool({ maxThreads: 2 })

  const sum = await pool.runTask((/** @type {number} */ a, /** @type {number} */ b) => a + b, [1, 2])
  console.log(`1 + 2 = ${sum}`)

  const primesBelow = (/** @type {number} */ limit) => {
    let count = 0
    for (let n = 2; n < limit; n++) {
      let d = 2
      while (d * d <= n && n % d !== 0) d++
      if (d * d > n) count++
    }
    return count
  }
  const limits = [10, 1000, 100_000]
  const counts = await Promise.all(limits.map((limit) => pool.runTask(primesBelow, limit)))
  limits.forEach((limit, i) => {
    console.log(`${counts[i]} primes below ${limit}`)
  })

  const host = await pool.runTask(async () => {
    const { isMainThread } = require('node:worker_threads')
    return isMainThread ? 'the main thread' : 'a worker'
  })
  console.log(`it ran in ${host}`)
  await pool.close()
}

main()
