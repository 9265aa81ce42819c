'use strict'

// A server with a light route and a heavy one. The work of the heavy route is done in one of several ways. The server
// says its port and, whenever it is asked, how much CPU time it has used.

const http = require('node:http')
const path = require('node:path')
const { cpuCount } = require('../..')

const [, , kind, size] = process.argv
const filename = path.join(__dirname, '..', 'workers', 'report.js')
const threads = { minThreads: cpuCount(), maxThreads: cpuCount() }
const nice = kind.endsWith(', nice') ? { niceIncrement: 10 } : {}

/** @type {Record<string, () => Promise<(size: number) => Promise<string> | string>>} */
const ways = {
  inline: async () => require(filename),
  async rspool() {
    const { Pool } = require('../..')
    const pool = new Pool({ filename, ...threads, ...nice })
    await pool.ready()
    return (size) => pool.run(size)
  },
  async piscina() {
    const { Piscina } = require('piscina')
    const pool = new Piscina({ filename, ...threads, ...nice })
    return (size) => pool.run(size)
  },
  async tinypool() {
    const { default: Tinypool } = await import('tinypool')
    const pool = new Tinypool({ filename, ...threads })
    return (size) => pool.run(size)
  },
  async workerpool() {
    const pool = require('workerpool').pool(path.join(__dirname, '..', 'workers', 'report-workerpool.js'), {
      minWorkers: threads.minThreads,
      maxWorkers: threads.maxThreads,
      workerType: 'thread'
    })
    return async (size) => pool.exec('report', [size])
  }
}

async function main() {
  const work = await ways[kind.split(',')[0]]()
  const server = http.createServer(async (request, response) => {
    response.end(request.url === '/heavy' ? await work(Number(size)) : 'light')
  })
  server.keepAliveTimeout = 600_000
  server.listen(0, '127.0.0.1', () => process.send?.({ port: /** @type {any} */ (server.address()).port }))
  process.on('message', () => process.send?.({ cpu: process.cpuUsage() }))
  process.on('disconnect', () => process.exit())
}

main()
