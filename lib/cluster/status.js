'use strict'

// What is known of a cluster, read from the region and from the system. No process is asked, so it
// is right while one hangs.

const native = require('../native/load')
const { SEAT, REQUEST, microseconds } = require('./region')
const { BEAT_EVERY } = require('./process/beat')

/** An event loop that has been silent for so long does not respond, whatever becomes of it. */
const UNRESPONSIVE_AFTER = 1000

/**
 * Milliseconds since the event loop of the process in a seat last turned; none before it has.
 * @param {import('./region').RegionWords} region
 * @param {number} seat
 */
function beatAge(region, seat) {
  const beat = region.get(seat, SEAT.beat)
  return beat === 0 ? undefined : Math.max(0, (microseconds() - beat) / 1000)
}

/**
 * @param {import('./region').RegionWords} region
 * @param {number} seat
 */
function isUnresponsive(region, seat) {
  return (beatAge(region, seat) ?? 0) > UNRESPONSIVE_AFTER
}

/**
 * A request of a seat: what it asks for, and for how many milliseconds it has been open.
 * @param {import('./region').RegionWords} region
 * @param {number} seat
 * @param {number} which
 */
function requestOf(region, seat, which) {
  const request = region.requestOf(seat, which)
  if (request === undefined) return undefined
  const [method, url] = request.text.split(' ', 2)
  return { method, ...(url === undefined ? {} : { url }), ageMs: Math.max(0, (microseconds() - request.began) / 1000) }
}

/** @param {any} parts */
function readStatus({ slots, region, counters, size, phase, rowOf, upkeep, spares }) {
  const live = slots.filter((/** @type {import('./primary/slot').Slot} */ slot) => slot.state !== 'stopped')
  const processes = live.map((/** @type {import('./primary/slot').Slot} */ slot) =>
    slotStatus(slot, region, phase === 'stopped' ? undefined : upkeep, counters.snapshotOf(rowOf(slot.id)))
  )
  const ready = processes.filter((/** @type {{ state: string }} */ { state }) => state === 'ready').length
  const bad = processes.some((/** @type {{ state: string }} */ { state }) =>
    ['failed', 'backing-off', 'stalled', 'unresponsive'].includes(state)
  )
  return {
    state:
      phase !== 'running'
        ? phase
        : ready === 0 && !bad
          ? 'booting'
          : bad
            ? 'degraded'
            : ready < size
              ? 'scaling'
              : 'ready',
    size,
    ready,
    processes,
    spares: spares.map((/** @type {any} */ process) => ({
      state: reading(process.state === 'spare' ? 'ready' : process.state, region, process),
      ...processStatus(process, region, phase === 'stopped' ? undefined : upkeep)
    })),
    budget: { tokens: region.layout.tokens.count, free: region.freeTokens() },
    counters: counters.snapshot()
  }
}

/** @param {import('./primary/slot').Slot} slot @param {import('./region').SharedRegion} region @param {import('./primary/upkeep').Upkeep|undefined} upkeep @param {Record<string, number>} counted */
function slotStatus(slot, region, upkeep, counted) {
  const { id, state, generation, restarts, causes, current, next, leaving } = slot
  return {
    slot: id,
    state: reading(state, region, current),
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
 * A process that is ready and silent is told as such: that is a reading, and nothing follows from it.
 * @param {string} state
 * @param {import('./region').RegionWords} region
 * @param {{ seat: number }|undefined} process
 */
function reading(state, region, process) {
  return state === 'ready' && process !== undefined && isUnresponsive(region, process.seat) ? 'unresponsive' : state
}

/**
 * The watcher's readings are at most a second old, and asking for one costs nothing. What it has not read
 * yet, or cannot as there is none, is read here.
 * @param {any} process @param {any} region @param {any} upkeep
 */
function processStatus({ pid, seat, startedAt, readyAt }, region, upkeep) {
  const get = (/** @type {number} */ word) => region.get(seat, word)
  const beatAgeMs = beatAge(region, seat)
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
    beatAgeMs,
    // It is never less than the silence.
    loopDelayMs: Math.max(get(SEAT.loopDelay) / 1000, (beatAgeMs ?? 0) - BEAT_EVERY),
    utilization: get(SEAT.utilization) / 1e6,
    requests: get(SEAT.requests),
    errors: get(SEAT.errors),
    connections: get(SEAT.connections),
    inFlight: get(SEAT.inFlight),
    oldestRequest: requestOf(region, seat, REQUEST.oldest),
    lastRequest: requestOf(region, seat, REQUEST.last),
    pool: { queued: get(SEAT.poolQueued), running: get(SEAT.poolRunning) }
  }
}

module.exports = { readStatus, processStatus, beatAge, isUnresponsive, requestOf, UNRESPONSIVE_AFTER }
