'use strict'

// `processes: 0`: `main` runs in this process, with the same context and the same supervisor methods, for development
// and tests.

const os = require('node:os')
const { randomBytes } = require('node:crypto')
const { EventEmitter } = require('node:events')
const { pathToFileURL } = require('node:url')
const { RspoolError, invalidArgument } = require('../errors')
const { cloneByEngine } = require('../native/primordials')
const { SharedRegion, CLAIMS } = require('./region')
const { ClusterCounters } = require('./counters')
const { ClusterMaps } = require('./maps')
const { setCurrent } = require('./current')
const { ClusterProcess } = require('./process')
const { Mailbox } = require('./messages')
const { whereOf } = require('./sticky/reading')
const { processStatus } = require('./status')
const { SharedGauges, SharedHistograms } = require('./gauges')
const { readMetrics } = require('./metrics')
const { installSignals } = require('./primary/signals')
const { pause } = require('../later')
const { complain, makeLog, flush } = require('./output')

class InProcessSupervisor extends EventEmitter {
  #half
  #options
  #region
  #mailbox
  #startedAt = performance.now()
  /** @type {Promise<{ forced: number, durationMs: number }>|undefined} */
  #stopping
  #stopped = false
  #removeSignals = () => {}

  /**
   * @param {import('./process').Main | string} target a function, or the path of a file
   * @param {import('./options').ClusterOptions} options
   */
  constructor(target, options) {
    super()
    this.#options = options
    const names = { counters: options.counters, gauges: options.gauges, histograms: options.histograms }
    this.#region = SharedRegion.create(names, {
      rows: 2,
      seats: 1,
      tokens: 1,
      claims: CLAIMS,
      once: options.onceKeys,
      limits: Object.keys(options.limits).length > 0 ? options.limitKeys : 0,
      ring: options.publishBytes
    })
    this.#region.useRow(1)
    const { fd } = this.#region.native
    this.counters = new ClusterCounters(this.#region, 0, { fd, names })
    this.gauges = new SharedGauges(this.#region, 0)
    this.histograms = new SharedHistograms(this.#region, 0)

    this.maps = new ClusterMaps(options.maps, 0).maps

    const info = { slot: 0, generation: 1, pid: process.pid }
    // Both ends clone messages, as a channel between processes does.
    /** @type {Mailbox} */
    const inner = new Mailbox((message, done) => deliver(this.#mailbox, message, done))
    this.#mailbox = new Mailbox((message, done) => deliver(inner, message, done), info)
    this.#mailbox.onMessage((message) => this.emit('message', message, info))
    const place = {
      slot: 0,
      generation: 1,
      seat: 0,
      row: 1,
      names,
      fd,
      inProcess: true,
      requestUrls: options.requestUrls,
      limits: options.limits,
      sticky: options.sticky && { where: whereOf(options.sticky), key: randomBytes(32).toString('base64') },
      maps: [],
      awaitsMain: typeof target === 'function'
    }
    this.#half = new ClusterProcess({ region: this.#region, place, mailbox: inner, maps: this.maps })
    this.limits = this.#half.context.limits
    setCurrent(this.#half)
    this.ready = new Promise((resolve, reject) => {
      this.#half.once('ready', resolve)
      this.#half.once('failed', reject)
    })
    this.ready.catch((error) => {
      makeLog(options.log)(`main failed: ${error instanceof Error ? error.stack : String(error)}`)
      if (options.exit) flush(options.grace).then(() => process.exit(3))
    })
    this.#half.on('hookError', (error) => complain('rspool: an onDrain hook failed:', error))
    if (options.signals) {
      this.#removeSignals = installSignals(
        this,
        (signal) => {
          this.stop().then(async ({ forced, durationMs }) => {
            if (!options.exit) return
            await flush(options.grace - durationMs)
            process.exit(forced > 0 ? 128 + os.constants.signals[/** @type {'SIGTERM'} */ (signal)] : 0)
          })
        },
        (code) => process.exit(code)
      )
    }
    setImmediate(() => {
      if (typeof target === 'function') this.#half.run(target, options)
      else import(pathToFileURL(target).href).catch((error) => this.#half.emit('failed', error))
    })
  }

  get size() {
    return 0
  }

  stop() {
    this.#stopping ??= (async () => {
      const start = performance.now()
      /** @type {Promise<{ forced: boolean }>} */
      const drained = new Promise((resolve) => this.#half.once('drained', resolve))
      const { grace, drainIdle, lameDuckDelay } = this.#options
      this.#half.stopping = true
      await pause(lameDuckDelay).done
      await this.#half.drain({ grace, idle: drainIdle })
      const { forced } = await drained
      this.#half.release()
      setCurrent(undefined)
      this.#removeSignals()
      this.#stopped = true
      this.emit('close', 0)
      return { forced: forced ? 1 : 0, durationMs: performance.now() - start }
    })()
    return this.#stopping
  }

  /** Rejects: there is no other process to take over. @returns {Promise<never>} */
  async reload() {
    throw new RspoolError('ERR_RSPOOL_UNSUPPORTED', 'reload() needs processes, and `processes` is 0')
  }

  /** @returns {Promise<never>} */
  async scale() {
    throw new RspoolError('ERR_RSPOOL_UNSUPPORTED', 'scale() needs processes, and `processes` is 0')
  }

  /** @returns {Promise<never>} */
  async restart() {
    throw new RspoolError('ERR_RSPOOL_UNSUPPORTED', 'restart() needs processes, and `processes` is 0')
  }

  /** @param {string} topic @param {unknown} message */
  publish(topic, message) {
    this.#half.topics.publish(topic, message)
  }

  /** @param {string} topic @param {import('./topics').Listener} listener @param {unknown} [options] */
  subscribe(topic, listener, options) {
    return this.#half.topics.subscribe(topic, listener, options)
  }

  /** @param {number} slot @param {unknown} message */
  async send(slot, message) {
    return this.#at(slot).send(message)
  }

  /** @param {unknown} message */
  async broadcast(message) {
    await this.#mailbox.send(message)
    return 1
  }

  /** @param {number} slot @param {unknown} message @param {{ timeout?: number }} [options] */
  async request(slot, message, options) {
    return this.#at(slot).request(message, options)
  }

  /** @param {(message: unknown, info: object) => unknown} answer */
  onRequest(answer) {
    this.#mailbox.onRequest(answer)
  }

  status() {
    const { state } = this.#half
    const own = this.#stopped
      ? {}
      : processStatus(
          { pid: process.pid, seat: 0, startedAt: this.#startedAt, readyAt: undefined },
          this.#region,
          undefined
        )
    const counters = this.counters.snapshot()
    return {
      state: this.#stopped ? 'stopped' : state,
      size: 0,
      ready: state === 'ready' ? 1 : 0,
      processes: [{ slot: 0, state, generation: 1, restarts: 0, causes: [], draining: [], counters, ...own }],
      spares: [],
      budget: { tokens: 1, free: 1 },
      counters
    }
  }

  metrics() {
    const { counters, gauges, histograms } = this
    const owner = (/** @type {number} */ row) => (row === 0 ? 'primary' : row - 1)
    return String(readMetrics({ status: this.status(), region: this.#region, owner, counters, gauges, histograms }))
  }

  #at(/** @type {number} */ slot) {
    if (slot !== 0) throw invalidArgument(`the only slot is 0, got ${slot}`)
    return this.#mailbox
  }
}

/** @param {Mailbox} to @param {object} message @param {(error: Error|null) => void} done */
function deliver(to, message, done) {
  const copy = cloneByEngine(message)
  setImmediate(() => {
    to.receive(copy)
    done(null)
  })
}

module.exports = { InProcessSupervisor }
