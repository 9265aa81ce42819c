'use strict'

// The heartbeat of a process and its own readings, written into its seat. No program asks for them: every reader of the
// region can see them.

const v8 = require('node:v8')
const inspector = require('node:inspector')
const { SEAT } = require('../../native/wire')
const { microseconds } = require('../region')

const BEAT_EVERY = 250

/**
 * @param {import('../region').SharedRegion} region
 * @param {number} seat
 * @param {import('./servers').Servers} servers
 * @param {() => { queued: number, running: number }} pools
 * @returns {() => void} stops the heartbeat
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
    put(SEAT.DEBUGGED, inspector.url() === undefined ? 0 : 1)
    put(SEAT.BEAT, microseconds())
    put(SEAT.CONNECTIONS, servers.connections)
    put(SEAT.LOOP_DELAY, Math.max(0, now - due) * 1000)
    put(SEAT.UTILIZATION, performance.eventLoopUtilization(current, utilization).utilization * 1e6)
    put(SEAT.HEAP_USED, heapUsed)
    put(SEAT.EXTERNAL, external)
    put(SEAT.POOL_QUEUED, queued)
    put(SEAT.POOL_RUNNING, running)
    utilization = current
    due = now + BEAT_EVERY
  }
  region.set(seat, SEAT.HEAP_LIMIT, heapLimit())
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
