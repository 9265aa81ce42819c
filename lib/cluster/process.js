'use strict'

// The half of the helper that lives in a process of the cluster: it starts before the application,
// knows its servers, says when it is ready, and drains when it is told to.

const { EventEmitter } = require('node:events')
const { invalidArgument } = require('../errors')
const { readOptions, duration, show } = require('../validate')
const { Servers } = require('./servers')
const { drain } = require('./drain')
const { SEAT, STATE } = require('./region')
const { ClusterCounters } = require('./counters')
const { SharedGauges, SharedHistograms } = require('./gauges')
const { startBeat } = require('./beat')
const { readPools } = require('./hooks')

/**
 * Events: 'ready', 'draining', 'drained' ({ forced, cut }), 'failed' (error).
 * How it ends, and how it speaks to the primary, is the business of whoever made it.
 */
class ClusterProcess extends EventEmitter {
  #state = 'booting'
  #servers = new Servers()
  /** @type {{ hook: () => unknown, timeout: number }[]} */
  #hooks = []
  #abort = new AbortController()
  #region
  #seat
  #stopBeat
  /** 'none' until `run` is called, then 'running', 'returned' or 'resolved'. */
  #main = 'none'
  /** @type {Promise<void>|undefined} */
  #drained

  /**
   * @param {object} parts
   * @param {import('./region').SharedRegion} parts.region
   * @param {{ slot: number, generation: number, seat: number, row: number, names: any, fd: number, awaitsMain: boolean, sockets?: { name: string, fd: number }[] }} parts.place
   * @param {object} parts.messages what the context adds to speak with the others
   */
  constructor({ region, place, messages }) {
    super()
    this.#region = region
    this.#seat = place.seat
    this.place = place
    region.set(place.seat, SEAT.pid, process.pid)
    region.set(place.seat, SEAT.state, STATE.booting)
    const { names, fd } = place
    this.counters = new ClusterCounters(region, place.row, { fd, names })
    this.#stopBeat = startBeat(region, place, this.#servers, readPools)
    this.#servers.on('listening', () => setImmediate(() => this.#check()))
    this.context = Object.freeze({
      slot: place.slot,
      generation: place.generation,
      counters: this.counters,
      gauges: new SharedGauges(region, place.row),
      histograms: new SharedHistograms(region, place.row),
      signal: this.#abort.signal,
      sockets: place.sockets ?? [],
      onDrain: this.#onDrain.bind(this),
      ready: () => this.#ready(),
      ...messages
    })
  }

  get state() {
    return this.#state
  }

  /**
   * Runs the application's main function once.
   * @param {(context: any) => unknown} main
   */
  run(main) {
    if (this.#main !== 'none') throw invalidArgument('cluster.run() was called a second time in this process')
    this.#main = 'running'
    let result
    try {
      result = main(this.context)
    } catch (error) {
      this.emit('failed', error)
      return this.context
    }
    const promised =
      result !== null && typeof result === 'object' && typeof (/** @type {any} */ (result).then) === 'function'
    if (!promised) {
      this.#main = 'returned'
      this.#check()
    } else {
      Promise.resolve(result).then(
        () => {
          this.#main = 'resolved'
          this.#check()
        },
        (error) => this.emit('failed', error)
      )
    }
    return this.context
  }

  /**
   * What is missing before this process is ready, for the message about its time limit.
   */
  get missing() {
    if (this.#main === 'running') return "main's promise is still pending"
    if (this.#main === 'none' && this.place.awaitsMain) return 'the file did not call cluster.run() in this process'
    if (this.#servers.pending > 0) return 'a server is not listening yet'
    return 'no server listens and ready() was not called'
  }

  /** A promise of main says when it is done; anything else is ready when it listens. */
  #check() {
    if (this.#state !== 'booting' || this.#servers.pending > 0) return
    const listens = this.#servers.listening > 0
    if (
      this.#main === 'resolved' ||
      (this.#main === 'returned' && listens) ||
      (this.#main === 'none' && !this.place.awaitsMain && listens)
    )
      this.#ready()
  }

  #ready() {
    if (this.#state !== 'booting') return
    this.#state = 'ready'
    this.#region.set(this.#seat, SEAT.state, STATE.ready)
    this.emit('ready')
  }

  #onDrain(/** @type {() => unknown} */ hook, /** @type {unknown} */ options) {
    if (typeof hook !== 'function') throw invalidArgument(`onDrain: expected a function, got ${show(hook)}`)
    const { timeout = Infinity } = readOptions(options, { timeout: duration }, 'onDrain options')
    const entry = { hook, timeout }
    this.#hooks.push(entry)
    return () => {
      this.#hooks = this.#hooks.filter((other) => other !== entry)
    }
  }

  /**
   * Drains once; later calls join the first.
   * @param {{ grace: number, idle: number }} limits
   */
  drain(limits) {
    this.#drained ??= this.#drain(limits)
    return this.#drained
  }

  async #drain(/** @type {{ grace: number, idle: number }} */ { grace, idle }) {
    this.#state = 'draining'
    this.#region.set(this.#seat, SEAT.state, STATE.draining)
    this.emit('draining')
    this.#abort.abort()
    const report = await drain({
      servers: this.#servers,
      hooks: this.#hooks,
      grace,
      idle,
      onError: (error) => this.emit('hookError', error)
    })
    this.#stopBeat()
    this.emit('drained', report)
  }

  /** Takes its hands off the process (used where the process lives on). */
  release() {
    this.#stopBeat()
    this.#servers.release()
    this.#region.clear(this.#seat)
  }
}

module.exports = { ClusterProcess }
