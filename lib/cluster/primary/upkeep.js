'use strict'

// Takes care of processes that live but are not well: gets reports of stalls and memory from the native watcher,
// recycles processes by age and by requests, and explains deaths.
//
// Replacements run one at a time, start the new process first, and wait for reloads.

const os = require('node:os')
const native = require('../../native/load')
const { SEAT, REQUEST } = require('../../native/wire')
const { beatAge, requestOf, UNRESPONSIVE_AFTER } = require('../status')
const { debugsBoot } = require('./spec')

const LOOK_EVERY = 250
/** Milliseconds before a replacement that did not get ready is tried again. */
const TRY_AGAIN = 30_000

/** @typedef {import('./supervised').SupervisedProcess} SupervisedProcess */

class Upkeep {
  #region
  #options
  #host
  #watch
  #timer
  #memoryLimit
  #oomKills
  /** @type {Map<SupervisedProcess, { requests: number, age: number, notBefore: number, silent: boolean }>} */
  #watched = new Map()
  #busy = false

  /**
   * @param {import('../region').SharedRegion} region
   * @param {import('../maps').ClusterMaps} maps
   * @param {import('../options').ClusterOptions} options
   * @param {object} host
   * @param {(process: SupervisedProcess, reason: { kind: string }) => Promise<unknown>} host.replace
   * @param {(process: SupervisedProcess, silent: number, stack: string) => void} host.stalled
   * @param {(process: SupervisedProcess, rss: number) => void} host.memory
   * @param {(line: string) => void} host.log
   */
  constructor(region, maps, options, host) {
    this.#region = region
    this.#options = options
    this.#host = host
    this.#watch = new native.Watch(region.native, maps.numbers)
    this.#memoryLimit = memoryLimit(options.memoryLimit)
    this.#oomKills = native.readGroupMemory().oomKills ?? 0
    // The timer also keeps the primary alive: if all slots are held, nothing else does.
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY)
  }

  /** @param {SupervisedProcess} process */
  add(process) {
    if (process.pid === undefined) return
    const { stallTimeout, stallStack, recycle } = this.#options
    // A process that waits for a debugger is not stalled.
    const debugged = debugsBoot(process.spec, process.slot)
    this.#watch.add(process.seat, process.pid, {
      stall: stallTimeout === Infinity || debugged ? 0 : stallTimeout,
      memory: this.#memoryLimit,
      stack: stallStack
    })
    const vary = (/** @type {number} */ value) => value * (1 + recycle.jitter * (2 * Math.random() - 1))
    this.#watched.set(process, {
      requests: vary(recycle.requests),
      age: vary(recycle.age),
      notBefore: -Infinity,
      silent: false
    })
  }

  /** @param {SupervisedProcess} process */
  remove(process) {
    if (this.#watched.delete(process)) this.#watch.remove(process.seat)
  }

  /** The last reading of the process in a seat. @param {number} seat */
  reading(seat) {
    return this.#watch.reading(seat)
  }

  /**
   * Finds out why the process ended, if the primary did not end it. Called before its seat is cleared.
   * @param {SupervisedProcess} process
   * @param {number|null} code
   * @param {string|null} signal
   */
  explain(process, code, signal) {
    this.#hear()
    if (process.reason !== undefined) return
    if (signal === 'SIGKILL') {
      // Each of the kernel's kills explains one death.
      if ((native.readGroupMemory().oomKills ?? 0) > this.#oomKills) {
        this.#oomKills++
        process.reason = { kind: 'out-of-memory', where: "the kernel killed it for the control group's memory" }
      }
    } else if (signal === 'SIGABRT' || signal === 'SIGTRAP' || signal === 'SIGILL' || code === 134) {
      const limit = this.#region.get(process.seat, SEAT.HEAP_LIMIT)
      const used = Math.max(this.#region.get(process.seat, SEAT.HEAP_USED), this.#watch.reading(process.seat)?.rss ?? 0)
      if (limit > 0 && used > limit * 0.7)
        process.reason = {
          kind: 'out-of-memory',
          where: `its JavaScript heap may have ${Math.round(limit / 2 ** 20)} MiB`
        }
    }
  }

  close() {
    clearInterval(this.#timer)
    this.#watch.close()
    this.#watched.clear()
  }

  #look() {
    this.#hear()
    this.#listen()
    if (this.#busy) return
    const now = performance.now()
    for (const [process, { requests, age, notBefore }] of this.#watched) {
      if (process.state !== 'ready' || now < notBefore) continue
      if (now - (process.readyAt ?? now) >= age) return this.#replace(process, { kind: 'age' })
      if (this.#region.get(process.seat, SEAT.REQUESTS) >= requests) return this.#replace(process, { kind: 'requests' })
      if (process.overMemory) return this.#replace(process, { kind: 'memory' })
    }
  }

  /** Logs each silence once, and its end. */
  #listen() {
    for (const [process, watched] of this.#watched) {
      const age = beatAge(this.#region, process.seat) ?? 0
      // A process that is debugged may be stopped.
      const debugged = this.#region.get(process.seat, SEAT.DEBUGGED) !== 0
      const silent = age > UNRESPONSIVE_AFTER && process.state === 'ready' && !debugged
      if (silent === watched.silent) continue
      watched.silent = silent
      const who = `slot ${process.slot} (process ${process.pid})`
      if (silent) this.#host.log(`${who} does not respond: ${this.#silence(process.seat, age)}`)
      else if (process.state === 'ready') this.#host.log(`${who} responds again`)
    }
  }

  #silence(/** @type {number} */ seat, /** @type {number} */ ms) {
    const silent = `its event loop has not turned for ${Math.round(ms)} ms`
    const request = requestOf(this.#region, seat, REQUEST.LAST)
    if (request === undefined) return silent
    const { method, url, ageMs } = request
    const what = url === undefined ? method : `${method} ${url}`
    return `${silent}; the last request begun is ${what}, ${Math.round(ageMs)} ms ago`
  }

  async #replace(/** @type {SupervisedProcess} */ process, /** @type {{ kind: string }} */ reason) {
    this.#busy = true
    const watched = this.#watched.get(process)
    if (watched !== undefined) watched.notBefore = performance.now() + TRY_AGAIN
    try {
      await this.#host.replace(process, reason)
    } finally {
      this.#busy = false
    }
  }

  /** Takes the reports of the watcher. */
  #hear() {
    for (const { kind, pid, value, stack } of this.#watch.take()) {
      const process = [...this.#watched.keys()].find((watched) => watched.pid === pid)
      if (process === undefined) continue
      if (kind === 'memory') {
        process.overMemory = true
        this.#host.memory(process, value)
      } else if (process.reason === undefined) {
        process.reason = { kind: 'stalled', silent: value, stack }
        this.#host.stalled(process, value, stack)
      }
    }
  }
}

/** The limit in bytes; 0 for none. @param {number|string|undefined} given */
function memoryLimit(given) {
  if (given === undefined) return 0
  if (typeof given === 'number') return given
  const all = Math.min(native.readGroupMemory().limit ?? Infinity, os.totalmem())
  return (all * parseFloat(given)) / 100
}

module.exports = { Upkeep }
