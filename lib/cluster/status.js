'use strict'

// The readings of a cluster, from the region and from the system. No process is asked, so they are right while one
// hangs.

const native = require('../native/load')
const { SEAT, REQUEST } = require('../native/wire')
const { microseconds } = require('./region')
const { BEAT_EVERY } = require('./process/beat')

/** An event loop that has been silent for so many milliseconds counts as unresponsive, even if it may recover. */
const UNRESPONSIVE_AFTER = 1000

/** States of slots that need attention. */
const NOT_WELL = new Set(['failed', 'backing-off', 'stalled', 'unresponsive'])

/** @typedef {import('../../types/cluster').ClusterStatus} ClusterStatus */
/** @typedef {import('../../types/cluster').ProcessStatus} ProcessStatus */
/** @typedef {import('../../types/cluster').ProcessReading} ProcessReading */
/** @typedef {import('../../types/cluster').RequestReading} RequestReading */
/** @typedef {import('./region').RegionWords} RegionWords */
/** @typedef {import('./primary/slot').Slot} Slot */

/**
 * The state of a cluster, from the states of its slots that are not stopped; and how many slots are ready.
 * @param {'running' | 'draining' | 'stopping' | 'stopped'} phase
 * @param {number} size
 * @param {string[]} states
 * @returns {Pick<ClusterStatus, 'state' | 'ready'>}
 */
function clusterState(phase, size, states) {
  const ready = states.filter((state) => state === 'ready').length
  /** @type {ClusterStatus['state']} */
  const well = ready === 0 ? 'booting' : ready < size ? 'scaling' : 'ready'
  const running = states.some((state) => NOT_WELL.has(state)) ? 'degraded' : well
  return { ready, state: phase === 'running' ? running : phase }
}

/**
 * Milliseconds since the event loop of the process in a seat last turned; undefined before its first turn.
 * @param {RegionWords} region
 * @param {number} seat
 * @param {number} [now] on the clock of the machine, in microseconds
 */
function beatAge(region, seat, now = microseconds()) {
  const beat = region.get(seat, SEAT.BEAT)
  return beat === 0 ? undefined : Math.max(0, (now - beat) / 1000)
}

/**
 * @param {RegionWords} region
 * @param {number} seat
 * @param {number} [now]
 */
function isUnresponsive(region, seat, now) {
  return (beatAge(region, seat, now) ?? 0) > UNRESPONSIVE_AFTER
}

/**
 * A request of a seat: its method and URL, and for how many milliseconds it has been open.
 * @param {RegionWords} region
 * @param {number} seat
 * @param {number} which
 * @param {number} [now]
 * @returns {RequestReading | undefined}
 */
function requestOf(region, seat, which, now = microseconds()) {
  const request = region.requestOf(seat, which)
  if (request === undefined) return undefined
  const [method, url] = request.text.split(' ', 2)
  return { method, ...(url === undefined ? {} : { url }), ageMs: Math.max(0, (now - request.began) / 1000) }
}

/**
 * @param {object} parts
 * @param {Slot[]} parts.slots
 * @param {import('./region').SharedRegion} parts.region
 * @param {import('./counters').ClusterCounters} parts.counters
 * @param {number} parts.size
 * @param {'running'|'draining'|'stopping'|'stopped'} parts.phase
 * @param {(slot: number) => number} parts.rowOf
 * @param {import('./primary/upkeep').Upkeep} parts.upkeep
 * @param {import('./primary/supervised').SupervisedProcess[]} parts.spares
 * @returns {ClusterStatus}
 */
function readStatus({ slots, region, counters, size, phase, rowOf, upkeep, spares }) {
  const readings = phase === 'stopped' ? undefined : upkeep
  const processes = slots
    .filter(({ state }) => state !== 'stopped')
    .map((slot) => slotStatus(slot, region, readings, counters.snapshotOf(rowOf(slot.id))))
  const states = processes.map(({ state }) => state)
  return {
    ...clusterState(phase, size, states),
    size,
    processes,
    spares: spares.map((process) => ({
      state: reading(spareState(process), region, process),
      ...processStatus(process, region, readings)
    })),
    budget: { tokens: region.layout.tokens.count, free: region.freeTokens() },
    counters: counters.snapshot()
  }
}

/** @param {import('./primary/supervised').SupervisedProcess} process */
function spareState({ state }) {
  // A spare has no slot, so it is never reported as stalled.
  return state === 'spare' || state === 'stalled' ? 'ready' : state
}

/**
 * @param {Slot} slot
 * @param {RegionWords} region
 * @param {Readings | undefined} upkeep
 * @param {Record<string, number>} counted
 * @returns {ProcessStatus}
 */
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
    draining: [...leaving].flatMap(({ pid }) => pid ?? []),
    ...(current === undefined ? { pid: undefined } : processStatus(current, region, upkeep))
  }
}

/**
 * A process that is ready and silent is shown as unresponsive. This is only a reading, and has no consequence.
 * @template {string} State
 * @param {State} state
 * @param {RegionWords} region
 * @param {{ seat: number }|undefined} process
 * @param {number} [now]
 * @returns {State | 'unresponsive'}
 */
function reading(state, region, process, now) {
  return state === 'ready' && process !== undefined && isUnresponsive(region, process.seat, now)
    ? 'unresponsive'
    : state
}

/**
 * The source of readings of processes.
 * @typedef {{ reading: (seat: number) => Partial<import('../native/addon').ProcessReading> | null }} Readings
 */

/**
 * The watcher's readings are at most a second old, and asking for one costs nothing. A process that it has not read
 * yet, or cannot read, is read here.
 * @param {{ pid?: number, seat: number, startedAt: number, readyAt?: number }} process times of `performance.now()`
 * @param {RegionWords} region
 * @param {Readings | undefined} upkeep
 * @param {number} [now]
 */
function processStatus({ pid, seat, startedAt, readyAt }, region, upkeep, now = microseconds()) {
  const get = (/** @type {number} */ word) => region.get(seat, word)
  const beatAgeMs = beatAge(region, seat, now)
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
    heapUsed: get(SEAT.HEAP_USED),
    heapLimit: get(SEAT.HEAP_LIMIT),
    external: get(SEAT.EXTERNAL),
    beatAgeMs,
    // The delay is never less than the silence.
    loopDelayMs: Math.max(get(SEAT.LOOP_DELAY) / 1000, (beatAgeMs ?? 0) - BEAT_EVERY),
    // A loop that does not turn is busy or blocked all the time.
    utilization: isUnresponsive(region, seat, now) ? 1 : get(SEAT.UTILIZATION) / 1e6,
    requests: get(SEAT.REQUESTS),
    errors: get(SEAT.ERRORS),
    connections: get(SEAT.CONNECTIONS),
    inFlight: get(SEAT.IN_FLIGHT),
    oldestRequest: requestOf(region, seat, REQUEST.OLDEST, now),
    lastRequest: requestOf(region, seat, REQUEST.LAST, now),
    pool: { queued: get(SEAT.POOL_QUEUED), running: get(SEAT.POOL_RUNNING) }
  }
}

module.exports = {
  readStatus,
  processStatus,
  clusterState,
  reading,
  beatAge,
  isUnresponsive,
  requestOf,
  UNRESPONSIVE_AFTER
}
