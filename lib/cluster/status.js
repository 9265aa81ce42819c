'use strict'

// What is known of a cluster, read from the region and from the system. No process is asked, so it
// is right while one hangs.

const native = /** @type {any} */ (require('../native/load'))
const { SEAT } = require('./region')

/** @param {any} parts */
function readStatus({ slots, region, counters, size, phase, rowOf, upkeep, spares }) {
  const live = slots.filter((/** @type {any} */ slot) => slot.state !== 'stopped')
  const processes = live.map((/** @type {any} */ slot) =>
    slotStatus(slot, region, phase === 'stopped' ? undefined : upkeep, counters.snapshotOf(rowOf(slot.id)))
  )
  const ready = processes.filter((/** @type {any} */ { state }) => state === 'ready').length
  const bad = live.some(
    (/** @type {any} */ { state }) => state === 'failed' || state === 'backing-off' || state === 'stalled'
  )
  return {
    state:
      phase !== 'running' ? phase : ready === 0 ? 'booting' : bad ? 'degraded' : ready < size ? 'scaling' : 'ready',
    size,
    ready,
    processes,
    spares: spares.map((/** @type {any} */ process) => ({
      state: process.state === 'spare' ? 'ready' : process.state,
      ...processStatus(process, region, phase === 'stopped' ? undefined : upkeep)
    })),
    budget: { tokens: region.layout.tokens.count, free: region.freeTokens() },
    counters: counters.snapshot()
  }
}

/** @param {any} slot @param {any} region @param {any} upkeep @param {Record<string, number>} counted */
function slotStatus(slot, region, upkeep, counted) {
  const { id, state, generation, restarts, causes, current, next, leaving } = slot
  return {
    slot: id,
    state,
    generation,
    restarts,
    causes,
    counters: counted,
    replacing: next?.pid,
    draining: [...leaving].map(({ pid }) => pid),
    ...(current === undefined ? { pid: undefined } : processStatus(current, region, upkeep))
  }
}

/**
 * The watcher's readings are at most a second old, and asking for one costs nothing. What it has not read
 * yet, or cannot as there is none, is read here.
 * @param {any} process @param {any} region @param {any} upkeep
 */
function processStatus({ pid, seat, startedAt, readyAt }, region, upkeep) {
  const get = (/** @type {number} */ word) => region.get(seat, word)
  const reading =
    pid === undefined ? undefined : (upkeep?.reading(seat) ?? native.readProcess(pid, upkeep === undefined))
  return {
    pid,
    uptimeMs: performance.now() - startedAt,
    readyMs: readyAt === undefined ? undefined : readyAt - startedAt,
    cpu: reading?.cpu,
    cpuMs: reading?.cpuMs,
    rss: reading?.rss,
    pss: reading?.pss,
    threads: reading?.threads,
    fds: reading?.fds,
    fdLimit: reading?.fdLimit,
    heapUsed: get(SEAT.heapUsed),
    heapLimit: get(SEAT.heapLimit),
    external: get(SEAT.external),
    loopDelayMs: get(SEAT.loopDelay) / 1000,
    utilization: get(SEAT.utilization) / 1e6,
    requests: get(SEAT.requests),
    errors: get(SEAT.errors),
    connections: get(SEAT.connections),
    inFlight: get(SEAT.inFlight),
    pool: { queued: get(SEAT.poolQueued), running: get(SEAT.poolRunning) }
  }
}

module.exports = { readStatus, processStatus }
