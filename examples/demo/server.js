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

/** @typedef {{ tasks: number, limit: number, signal: AbortSignal, done: () => void, threw: (error: Error) => void }} Order */

/** @type {Record<string, (order: Order) => Promise<unknown>>} */
const ways = {
  async main({ tasks, limit, signal, done }) {
    for (let i = 0; i < tasks && !signal.aborted; i++) {
      countPrimes(limit)
      counters.add('onMainThread')
      done()
      // As separate requests would: others get their turn in between.
      await nextTurn()
    }
  },
  async pool({ tasks, limit, signal, done }) {
    const one = async () => {
      await pool.run(limit, { signal })
      counters.add('throughPool')
      done()
    }
    await Promise.all(Array.from({ length: tasks }, one))
  },
  /** The first has an input that its function throws at; the others never notice. */
  async throws({ tasks, limit, signal, done, threw }) {
    const one = async (/** @type {number} */ input) => {
      try {
        await pool.run(input, { signal })
        counters.add('throughPool')
        done()
      } catch (error) {
        if (signal.aborted) throw error
        threw(/** @type {Error} */ (error))
      }
    }
    await Promise.all(Array.from({ length: tasks }, (_, n) => one(n === 0 ? -1 : limit)))
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
    const error = `where is main, pool or throws, tasks 1 to ${MOST_TASKS}, limit 1 to ${HIGHEST_LIMIT}`
    return answer(response, 400, { error })
  }
  // A visitor who leaves, or presses Cancel, takes the work along.
  const abort = new AbortController()
  const { signal } = abort
  response.on('close', () => abort.abort())
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
  const tell = (/** @type {object} */ what) => response.write(`${JSON.stringify(what)}\n`)
  tell({ where, tasks, slot, pid: process.pid })
  const stop = measureDelay()
  const begin = performance.now()
  let finished = 0
  const done = () => tell({ done: ++finished })
  const threw = (/** @type {Error} */ { name, message }) => tell({ threw: `${name}: ${message}` })
  let failed
  try {
    await ways[where]({ tasks, limit, signal, done, threw })
  } catch (error) {
    failed = /** @type {NodeJS.ErrnoException} */ (error)
    // What is left of the others is in vain.
    abort.abort()
    if (failed.code !== 'ABORT_ERR') counters.add('refused')
  }
  const { max: delay } = stop()
  response.end(`${JSON.stringify({ time: performance.now() - begin, delay, error: failed?.message })}\n`)
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
