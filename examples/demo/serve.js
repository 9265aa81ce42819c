'use strict'

// `npm start -- --serve`: the primary. It starts the processes, collects what each tells of itself
// ten times a second, and sends all of it to each, so that any of them can show the page everything.

const { once } = require('node:events')
const net = require('node:net')
const path = require('node:path')
const { cluster } = require('rspool')
const { UsageError } = require('./arguments')

const EVERY = 100

/** @typedef {{ slot: number, pid: number, delay: number, busy: number, waiting: number, running: number, workers: number, busyWorkers: number }} Reading */

/**
 * The processes would each fail, and be tried again: one attempt tells first. Gives the port, chosen by
 * the system if it was 0.
 * @param {number} port
 * @param {string} host
 */
async function freePort(port, host) {
  const probe = net.createServer()
  probe.listen(port, host)
  try {
    await once(probe, 'listening')
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error)
    if (code === 'EADDRINUSE') {
      throw new UsageError(
        `port ${port} of ${host} is in use: choose another with --port, or any free one with --port 0`
      )
    }
    throw new UsageError(`cannot listen on port ${port} of ${host}: ${message}`)
  }
  const { port: given } = /** @type {net.AddressInfo} */ (probe.address())
  probe.close()
  await once(probe, 'close')
  return given
}

/** @param {{ port: number, host: string, threads: number, processes: number }} settings */
async function serve({ port: asked, host, threads, processes }) {
  const port = await freePort(asked, host)
  const supervisor = cluster.run(path.join(__dirname, 'server.js'), {
    processes,
    counters: ['requests', 'onMainThread', 'throughPool', 'refused'],
    env: { RSPOOL_DEMO: JSON.stringify({ port, host, threads }) }
  })

  /** @type {Map<number, { reading: Reading, at: number }>} */
  const latest = new Map()
  supervisor.on('message', (/** @type {Reading} */ reading) => {
    latest.set(reading.slot, { reading, at: performance.now() })
  })
  supervisor.on('exit', (/** @type {{ slot: number }} */ { slot }) => latest.delete(slot))
  const timer = setInterval(() => {
    const now = performance.now()
    const readings = Array.from(latest.values(), ({ reading, at }) => {
      // A process that is silent for too long is blocked, and cannot say so.
      const silent = now - at - EVERY
      return silent > EVERY ? { ...reading, delay: Math.max(reading.delay, silent), blocked: true } : reading
    })
    readings.sort((a, b) => a.slot - b.slot)
    supervisor.broadcast({ time: Date.now(), processes: readings, counters: supervisor.counters.snapshot() })
  }, EVERY)
  supervisor.on('close', () => {
    clearInterval(timer)
    console.log('Stopped.')
  })

  try {
    await supervisor.ready
  } catch (error) {
    // The supervisor has said why, and ends this process with its exit code.
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ERR_RSPOOL_NO_BOOT') return
    throw error
  }
  console.log(`http://${host.includes(':') ? `[${host}]` : host}:${port}/`)
  console.log(`${processes} ${processes === 1 ? 'process' : 'processes'}, a pool of ${threads} in each. Ctrl-C stops.`)
}

module.exports = { serve }
