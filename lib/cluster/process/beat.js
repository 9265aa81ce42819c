'use strict'

// The heartbeat of a process and what it tells of itself, written into its seat. Nobody asks for
// it and nobody answers: whoever reads the region knows.

const v8 = require('node:v8')
const inspector = require('node:inspector')
const { SEAT, microseconds } = require('../region')

const BEAT_EVERY = 250

/**
 * @param {import('../region').SharedRegion} region
 * @param {number} seat
 * @param {import('./servers').Servers} servers
 * @param {() => { queued: number, running: number }} pools
 * @returns {() => void} stops it
 */
function startBeat(region, seat, servers, pools) {
  let due = performance.now()
  let utilization = performance.eventLoopUtilization()
  const beat = () => {
    const now = performance.now()
    const current = performance.eventLoopUtilization()
    const { queued, running } = pools()
    const { heapUsed, external } = process.memoryUsage()
    const put = (/** @type {number} */ word, /** @type {number} */ value) => region.set(seat, word, value)
    put(SEAT.debugged, inspector.url() === undefined ? 0 : 1)
    put(SEAT.beat, microseconds())
    put(SEAT.connections, servers.connections)
    put(SEAT.loopDelay, Math.max(0, now - due) * 1000)
    put(SEAT.utilization, performance.eventLoopUtilization(current, utilization).utilization * 1e6)
    put(SEAT.heapUsed, heapUsed)
    put(SEAT.external, external)
    put(SEAT.poolQueued, queued)
    put(SEAT.poolRunning, running)
    utilization = current
    due = now + BEAT_EVERY
  }
  region.set(seat, SEAT.heapLimit, heapLimit())
  beat()
  const handle = setInterval(beat, BEAT_EVERY)
  handle.unref()
  return () => clearInterval(handle)
}

/** V8's own number includes the young generation, which is a large part of a small heap. */
function heapLimit() {
  const given = [...process.execArgv, process.env.NODE_OPTIONS ?? '']
    .join(' ')
    .match(/--max[-_]old[-_]space[-_]size[= ](\d+)/)
  return given === null ? v8.getHeapStatistics().heap_size_limit : Number(given[1]) * 2 ** 20
}

module.exports = { startBeat, BEAT_EVERY }
