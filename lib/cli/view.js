'use strict'

// The readings of a cluster from outside, in the form of `supervisor.status()`. The CPU use and the requests per second
// need two views of the same cluster, one after the other.

const native = require('../native/load')
const { processStatus, clusterState, isUnresponsive, UNRESPONSIVE_AFTER } = require('../cluster/status')
const { ClusterCounters } = require('../cluster/counters')
const { SharedGauges, SharedHistograms } = require('../cluster/gauges')
const { SEAT, SEAT_STATE, SLOT, SHARED } = require('../native/wire')
const { SLOT_STATES, PHASES, nameOf, microseconds } = require('../cluster/region')

/**
 * @typedef {object} ProcessView of a process, as `supervisor.status()` has it, and its rates
 * @property {number} seat
 * @property {number} pid
 * @property {import('../../types/cluster').ReadingState} state
 * @property {number} generation
 * @property {number} row
 * @property {number|undefined} slot
 * @property {number|undefined} beatAgeMs
 * @property {number} uptimeMs
 * @property {number|undefined} readyMs
 * @property {number|undefined} cpu
 * @property {number|undefined} cpuMs
 * @property {number|undefined} rss
 * @property {number} heapUsed
 * @property {number} heapLimit
 * @property {number} loopDelayMs
 * @property {number} utilization
 * @property {number} requests
 * @property {number} errors
 * @property {number} connections
 * @property {number} inFlight
 * @property {number|undefined} requestsPerSecond
 * @property {Request|undefined} oldestRequest
 * @property {Request|undefined} lastRequest
 * @property {{ queued: number, running: number }} pool
 *
 * @typedef {import('../../types/cluster').RequestReading} Request
 *
 * @typedef {object} SlotView
 * @property {number} slot
 * @property {import('../../types/cluster').ReadingState} state
 * @property {number} generation
 * @property {number} restarts
 * @property {string} lastCause why its last process died; empty if none has died
 * @property {number} sinceMs how long it has been in this state
 * @property {Record<string, number>} counters
 * @property {number|undefined} replacing the pid of the process that will take over
 * @property {number[]} draining
 *
 * @typedef {ReturnType<Viewer['look']>} ClusterView
 */

class Viewer {
  #cluster
  #counters
  #details
  /** The readings of the last look, by pid. @type {Map<number, { at: number, cpuMs: number, requests: number }>} */
  #before = new Map()

  /**
   * @param {import('./clusters').Cluster} cluster
   * @param {{ details?: boolean }} [how] whether descriptors are counted, which takes long if there are many
   */
  constructor(cluster, { details = false } = {}) {
    this.#details = details
    this.#cluster = cluster
    this.#counters = new ClusterCounters(cluster.region, 0, { fd: -1, names: cluster.about.names })
  }

  get cluster() {
    return this.#cluster
  }

  /** Reads everything anew. */
  look() {
    const { region, about, pid } = this.#cluster
    region.refresh()
    const now = microseconds()
    const all = this.#processes(now)
    const size = region.getShared(SHARED.SIZE)
    const phase = nameOf(PHASES, region.getShared(SHARED.PHASE)) ?? 'running'
    const slots = Array.from({ length: Math.min(size, region.layout.slots.count) }, (_, slot) =>
      this.#slot(slot, all, now)
    )
    const known = slots.filter(({ state }) => state !== 'stopped')
    const states = known.map(({ state }) => state)
    const primaryAgeMs = Math.max(0, now - region.getShared(SHARED.PRIMARY_BEAT)) / 1000
    return {
      pid,
      file: about.file,
      version: about.version,
      node: about.node,
      uptimeMs: (now - about.started) / 1000,
      primary: { alive: alive(pid), beatAgeMs: primaryAgeMs, responsive: primaryAgeMs < UNRESPONSIVE_AFTER },
      ...clusterState(phase, size, states),
      size,
      processes: known,
      leaving: all.filter(({ slot }) => slot !== undefined && slot >= size).length,
      spares: all.filter(({ slot }) => slot === undefined),
      budget: { tokens: region.layout.tokens.count, free: region.freeTokens() },
      counters: this.#counters.snapshot()
    }
  }

  /** The process that serves a slot now. @param {number} slot @returns {SlotView & Partial<ProcessView>|undefined} */
  find(slot) {
    return this.look().processes.find((view) => view.slot === slot)
  }

  /** The parts that write a cluster as Prometheus text. */
  parts() {
    const { region, about } = this.#cluster
    return {
      region: region,
      owner: (/** @type {number} */ row) =>
        row === 0 ? 'primary' : row <= about.spare ? `spare-${row - 1}` : row - 1 - about.spare,
      counters: this.#counters,
      gauges: new SharedGauges(region, 0),
      histograms: new SharedHistograms(region, 0)
    }
  }

  /** All processes that have a seat. @param {number} now @returns {ProcessView[]} */
  #processes(now) {
    const { region } = this.#cluster
    const found = []
    const before = this.#before
    this.#before = new Map()
    for (let seat = 0; seat < region.layout.seats.count; seat++) {
      const pid = region.get(seat, SEAT.PID)
      if (pid === 0) continue
      found.push(this.#process(seat, pid, now, before.get(pid)))
    }
    return found.sort((a, b) => a.generation - b.generation)
  }

  /** @param {number} seat @param {number} pid @param {number} now @param {{ at: number, cpuMs: number, requests: number }|undefined} before @returns {ProcessView} */
  #process(seat, pid, now, before) {
    const { region } = this.#cluster
    const get = (/** @type {number} */ word) => region.get(seat, word)
    const usage = (this.#details ? native.readProcess(pid, false) : native.readUsage(pid)) ?? undefined
    const requests = get(SEAT.REQUESTS)
    const elapsed = before === undefined ? 0 : (now - before.at) / 1000
    if (usage !== undefined) this.#before.set(pid, { at: now, cpuMs: usage.cpuMs, requests })
    const cpu = before !== undefined && usage !== undefined ? (usage.cpuMs - before.cpuMs) / elapsed : undefined
    const [started, ready] = [get(SEAT.STARTED), get(SEAT.READY)]
    const place = { pid, seat, startedAt: 0, readyAt: undefined }
    const reading = processStatus(place, region, { reading: () => ({ ...usage, cpu }) }, now)
    const own = get(SEAT.STATE)
    const silent = own !== SEAT_STATE.BOOTING && isUnresponsive(region, seat, now)
    const state = own === SEAT_STATE.BOOTING ? 'booting' : own === SEAT_STATE.DRAINING ? 'draining' : 'ready'
    return {
      ...reading,
      pid,
      seat,
      row: get(SEAT.ROW),
      slot: get(SEAT.SLOT) === 0 ? undefined : get(SEAT.SLOT) - 1,
      generation: get(SEAT.GENERATION),
      uptimeMs: (now - started) / 1000,
      readyMs: ready === 0 ? undefined : (ready - started) / 1000,
      state: silent ? 'unresponsive' : state,
      loopDelayMs: Math.max(reading.loopDelayMs, silent ? (reading.beatAgeMs ?? 0) : 0),
      requestsPerSecond: before === undefined ? undefined : ((requests - before.requests) * 1000) / elapsed
    }
  }

  /** @param {number} slot @param {ProcessView[]} all @param {number} now @returns {SlotView & Partial<ProcessView>} */
  #slot(slot, all, now) {
    const { region } = this.#cluster
    const own = all.filter((process) => process.slot === slot)
    const draining = own.filter((process) => region.get(process.seat, SEAT.STATE) === SEAT_STATE.DRAINING)
    const others = own.filter((process) => !draining.includes(process))
    // While a process is being replaced, the old one serves until the new one is ready.
    const current = others.findLast(({ readyMs }) => readyMs !== undefined) ?? others[0]
    const said = nameOf(SLOT_STATES, region.getSlot(slot, SLOT.STATE)) ?? 'stopped'
    const silent = current?.state === 'unresponsive' && said === 'ready'
    return {
      ...current,
      slot,
      state: silent ? 'unresponsive' : said,
      generation: current?.generation ?? region.getSlot(slot, SLOT.GENERATION),
      restarts: region.getSlot(slot, SLOT.RESTARTS),
      lastCause: region.causeOf(slot),
      sinceMs: (now - region.getSlot(slot, SLOT.CHANGED)) / 1000,
      counters: this.#counters.snapshotOf(current?.row ?? 1 + this.#cluster.about.spare + slot),
      replacing: others.find((process) => process !== current)?.pid,
      draining: draining.map(({ pid }) => pid)
    }
  }
}

/** @param {number} pid */
function alive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/** The method and URL of a request. @param {Request} request */
function asked({ method, url }) {
  return url === undefined ? method : `${method} ${url}`
}

module.exports = { Viewer, alive, asked }
