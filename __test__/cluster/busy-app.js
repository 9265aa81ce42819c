'use strict'

// Keeps its pool busy when it is asked to, and answers how many of its workers were busy on average, and how
// many tasks that were. With a port it serves light requests beside.

const http = require('node:http')
const { setInterval } = require('node:timers/promises')
const { Pool } = require('../..')

module.exports = async ({ onRequest }) => {
  const pool = new Pool({ maxThreads: 4 })
  onRequest(async ({ ms, size }) => {
    let going = true
    let tasks = 0
    const work = async () => {
      while (going) {
        await pool.runTask('math.countPrimes', size)
        if (going) tasks++
      }
    }
    const all = Promise.all(Array.from({ length: 8 }, work))
    const samples = []
    const end = Date.now() + ms
    for await (const _ of setInterval(5)) {
      samples.push(pool.stats().busy)
      if (Date.now() >= end) break
    }
    going = false
    await all
    return { busy: samples.reduce((sum, busy) => sum + busy, 0) / samples.length, most: Math.max(...samples), tasks }
  })
  const { APP_PORT } = process.env
  if (APP_PORT === undefined) return
  const server = http.createServer((request, response) => response.end('light'))
  await new Promise((resolve) => server.listen(Number(APP_PORT), resolve))
}
