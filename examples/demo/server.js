'use strict'

// One process of the live page: an HTTP server, a pool, and readings of both.

const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { setImmediate: nextTurn } = require('node:timers/promises')
const { Pool, cluster } = require('rspool')
const countPrimes = require('./work')
const { measureDelay } = require('./delay')

const EVERY = 100
const MOST_TASKS = 64
const HIGHEST_LIMIT = 3_000_000

const { slot, counters, signal, onDrain, send, onMessage } = /** @type {any} */ (cluster.current)
const { port, host, threads } = JSON.parse(process.env.RSPOOL_DEMO ?? '{}')
const page = fs.readFileSync(path.join(__dirname, 'page.html'))
const pool = new Pool({ filename: require.resolve('./work'), maxThreads: threads, maxQueue: 512 })

// ---- readings ----------------------------------------------------------------------------------

let stopMeasuring = measureDelay()
const readings = setInterval(() => {
  const delay = stopMeasuring()
  stopMeasuring = measureDelay()
  const { queued, running, workers, busy } = pool.stats()
  const reading = { slot, pid: process.pid, delay: delay.max, busy: delay.busy, waiting: queued, running }
  // The primary may be about to end: then nobody is left to tell.
  send({ ...reading, workers: workers.length, busyWorkers: busy }).catch(() => {})
}, EVERY)

/** @type {Set<http.ServerResponse>} */
const streams = new Set()
onMessage((/** @type {object} */ all) => {
  const event = `data: ${JSON.stringify(all)}\n\n`
  for (const stream of streams) {
    // A page that does not keep up gets fewer readings.
    if (!stream.writableNeedDrain) stream.write(event)
  }
})

// ---- requests ----------------------------------------------------------------------------------

/** @type {Record<string, (tasks: number, limit: number, signal: AbortSignal) => Promise<unknown>>} */
const ways = {
  async main(tasks, limit, signal) {
    for (let i = 0; i < tasks && !signal.aborted; i++) {
      countPrimes(limit)
      counters.add('onMainThread')
      // As separate requests would: others get their turn in between.
      await nextTurn()
    }
  },
  async pool(tasks, limit, signal) {
    const one = async () => {
      await pool.run(limit, { signal })
      counters.add('throughPool')
    }
    await Promise.all(Array.from({ length: tasks }, one))
  }
}

/** @param {http.ServerResponse} response @param {number} status @param {object} body */
function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

/** @param {URL} url @param {string} name @param {number} most */
function count(url, name, most) {
  const text = url.searchParams.get(name) ?? ''
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  return value >= 1 && value <= most ? value : undefined
}

/** @param {URL} url @param {http.ServerResponse} response */
async function work(url, response) {
  const where = url.searchParams.get('where') ?? ''
  const tasks = count(url, 'tasks', MOST_TASKS)
  const limit = count(url, 'limit', HIGHEST_LIMIT)
  if (!Object.hasOwn(ways, where) || tasks === undefined || limit === undefined) {
    const error = `where is main or pool, tasks 1 to ${MOST_TASKS}, limit 1 to ${HIGHEST_LIMIT}`
    return answer(response, 400, { error })
  }
  // A visitor who leaves takes the work along.
  const abort = new AbortController()
  response.on('close', () => abort.abort())
  const stop = measureDelay()
  const begin = performance.now()
  try {
    await ways[where](tasks, limit, abort.signal)
    answer(response, 200, { where, tasks, slot, pid: process.pid, time: performance.now() - begin, delay: stop().max })
  } catch (error) {
    stop()
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error)
    if (code === 'ABORT_ERR') return
    counters.add('refused')
    answer(response, code === 'ERR_RSPOOL_QUEUE_FULL' ? 503 : 500, { error: message })
  }
}

/** @param {http.ServerResponse} response */
function stream(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(`retry: 1000\nevent: hello\ndata: ${JSON.stringify({ slot, pid: process.pid, threads })}\n\n`)
  streams.add(response)
  response.on('close', () => streams.delete(response))
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const route = `${request.method} ${url.pathname}`
  if (route !== 'GET /events') counters.add('requests')
  if (route === 'GET /') {
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy':
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'"
    })
    response.end(page)
  } else if (route === 'GET /events') stream(response)
  else if (route === 'POST /work') work(url, response)
  else answer(response, 404, { error: `there is no ${route}` })
})
server.listen(port, host)

onDrain(async () => {
  clearInterval(readings)
  stopMeasuring()
  await pool.close()
})
// Streams never end by themselves, and the drain waits for connections.
signal.addEventListener('abort', () => {
  for (const response of streams) response.end()
})
