'use strict'

// The half of the helper in a process of the cluster: it starts before the application, knows its servers, reports when
// it is ready, and drains when told to.

const { EventEmitter } = require('node:events')
const { RspoolError, invalidArgument } = require('../../errors')
const { readOptions, duration, show } = require('../../pool/options/validate')
const { Servers } = require('./servers')
const { Requests } = require('./requests')
const { drain } = require('./drain')
const { SEAT, SEAT_STATE } = require('../../native/wire')
const { ClusterCounters } = require('../counters')
const { SharedGauges, SharedHistograms } = require('../gauges')
const { Topics } = require('../topics')
const { startBeat } = require('./beat')
const { Locks } = require('./locks')
const { SharedKeys } = require('../keys')
const { Leaders } = require('./leaders')
const { drainHooks, readPools } = require('../hooks')

/** @typedef {import('../sticky/router').Router} Router */
/** The function that a program runs in each process. @typedef {(context: ClusterProcess['context']) => unknown} Main */

/**
 * Events: 'spare', 'ready', 'draining', 'drained' ({ forced, cut }), 'failed' (error).
 * The code that makes it handles its end and its messages to the primary.
 *
 * A spare has no slot yet: its servers wait before they listen, and reading its slot throws. `assign` gives it a slot.
 */
class ClusterProcess extends EventEmitter {
  #state = 'booting'
  #servers
  /** @type {{ hook: () => unknown, timeout: number }[]} */
  #hooks = []
  #abort = new AbortController()
  #region
  #seat
  #mailbox
  #ownEnd
  #stopBeat
  #locks
  #leaders
  #keys
  /** @type {Router|undefined} */
  #router
  /** 'none' until `run` is called, then 'running', 'returned', 'resolved', or 'waiting' for a slot. */
  #main = 'none'
  /** Set if `main` read the slot of a spare before anything that takes time. @type {unknown} */
  #asked
  #calling = false
  /** @type {Main|undefined} */
  #function
  #saidReady = false
  /** Whether it was told that it will drain. */
  stopping = false
  #assigned = () => {}
  /** @type {Promise<void>|undefined} */
  #drained
  /** The time at which the grace is over, if it drains. @type {number|undefined} */
  #graceOver

  /**
   * @param {object} parts
   * @param {import('../region').SharedRegion} parts.region
   * @param {import('../types').Place} parts.place
   * @param {InstanceType<typeof import('../messages').Mailbox>} parts.mailbox for messages with the primary
   * @param {Readonly<Record<string, import('../maps').SharedMap>>} parts.maps
   * @param {import('./own-end').OwnEnd} [parts.ownEnd] the end of the application by itself, if it may have one
   * @param {ConstructorParameters<typeof import('../sticky/router').Router>[0]['send']} [parts.handOver] gives a socket to the primary
   */
  constructor({ region, place, mailbox, maps, ownEnd, handOver }) {
    super()
    this.#region = region
    this.#seat = place.seat
    this.#mailbox = mailbox
    this.#ownEnd = ownEnd
    this.place = place
    region.set(place.seat, SEAT.PID, process.pid)
    region.set(place.seat, SEAT.STATE, SEAT_STATE.BOOTING)
    const { names, fd } = place
    this.counters = new ClusterCounters(region, place.row, { fd, names })
    this.gauges = new SharedGauges(region, place.row)
    this.histograms = new SharedHistograms(region, place.row)
    this.#servers = new Servers(new Requests(region, place, place.requestUrls))
    this.topics = new Topics(region, place)
    this.#stopBeat = startBeat(region, place.seat, this.#servers, readPools)
    const check = () => setImmediate(() => this.#check())
    this.#servers.on('listening', check).on('held', check)
    const assigned = new Promise((resolve) => {
      this.#assigned = () => resolve(undefined)
    })
    this.#keys = new SharedKeys(fd, place.seat, place.limits)
    this.#locks = new Locks(fd, place.seat)
    this.#leaders = new Leaders(this.#locks, assigned)
    const { sticky } = place
    if (sticky !== undefined) {
      // Loaded at its first use.
      const { Router } = require('../sticky/router')
      this.#router = new Router({ sticky, place, region, servers: this.#servers, topics: this.topics, send: handOver })
      this.#servers.route(this.#router)
    }
    if (place.slot === undefined) this.#servers.hold()
    else {
      this.#assigned()
      this.#startRouter()
    }
    const half = this
    this.context = Object.freeze({
      get slot() {
        return half.#own('slot')
      },
      get generation() {
        return half.#own('generation')
      },
      assigned,
      get stopping() {
        return half.stopping
      },
      counters: this.counters,
      gauges: this.gauges,
      histograms: this.histograms,
      signal: this.#abort.signal,
      sockets: place.sockets ?? [],
      once: this.#keys.once.bind(this.#keys),
      limits: this.#keys.limits,
      maps,
      lock: this.#locks.lock.bind(this.#locks),
      leader: this.#leaders.lead.bind(this.#leaders),
      onDrain: this.#onDrain.bind(this),
      ready: () => this.#ready(),
      sticky: (/** @type {unknown} */ io) => this.#sessions('sticky').follow(io),
      sessionId: () => this.#sessions('sessionId').id(),
      ...this.topics.api(),
      ...mailbox.api()
    })
  }

  get state() {
    return this.#state
  }

  /** @param {string} what */
  #sessions(what) {
    if (this.#router !== undefined) return this.#router
    throw invalidArgument(`${what}: the cluster keeps no sessions; give cluster.run() the option 'sticky'`)
  }

  #startRouter() {
    this.#router?.start().then(
      () => this.#check(),
      (error) => this.emit('failed', error)
    )
  }

  /** A socket that belongs to a session of this process. @param {Parameters<Router['receive']>} handedOver */
  receiveSocket(...handedOver) {
    this.#router?.receive(...handedOver)
  }

  /**
   * Runs the main function of the application once.
   * @param {Main} main
   * @param {{ sticky?: unknown }} [options] the options that only a process with the function gets
   */
  run(main, options) {
    this.#router?.use(options?.sticky)
    if (this.#main !== 'none') throw invalidArgument('cluster.run() was called a second time in this process')
    this.#function = main
    this.#main = 'running'
    let result
    this.#calling = true
    try {
      result = main(this.context)
    } catch (error) {
      this.#failed(error)
      return this.context
    } finally {
      this.#calling = false
    }
    const promised =
      result !== null && typeof result === 'object' && 'then' in result && typeof result.then === 'function'
    if (!promised) {
      this.#main = 'returned'
      this.#check()
    } else {
      Promise.resolve(result).then(
        () => {
          this.#main = 'resolved'
          this.#check()
        },
        (error) => this.#failed(error)
      )
    }
    return this.context
  }

  /**
   * `main` has failed. If a spare's `main` began by reading its slot, the spare waits there: `main` is called again
   * when it has a slot.
   */
  #failed(/** @type {unknown} */ error) {
    if (error === undefined || error !== this.#asked) return this.emit('failed', error)
    this.#main = 'waiting'
    this.#hooks = []
    this.#check()
  }

  /** @param {'slot'|'generation'} name */
  #own(name) {
    const { place } = this
    if (place.slot !== undefined) return place[name]
    const error = new RspoolError(
      'ERR_RSPOOL_NO_SLOT',
      `'${name}' is not known in a spare process before it takes a slot: wait for the promise 'assigned' of the context`
    )
    if (this.#calling) this.#asked = error
    throw error
  }

  /**
   * A spare takes a slot.
   * @param {{ slot: number, generation: number, row: number }} place
   */
  assign({ slot, generation, row }) {
    if (this.#state !== 'spare') return
    Object.assign(this.place, { slot, generation, row })
    for (const cells of [this.counters, this.gauges, this.histograms]) cells.useRow(row)
    this.#state = 'booting'
    this.#assigned()
    this.#startRouter()
    this.#servers.go()
    if (this.#main === 'waiting' && this.#function !== undefined) {
      this.#main = 'none'
      this.run(this.#function)
    }
    this.#check()
  }

  /**
   * What is missing before this process is ready, for the message that its time is over.
   */
  get missing() {
    if (this.#main === 'running') return "main's promise is still pending"
    if (this.#main === 'none' && this.place.awaitsMain) return 'the file did not call cluster.run() in this process'
    if (this.#servers.pending > 0) return 'a server is not listening yet'
    return 'no server listens and ready() was not called'
  }

  /** A process whose `main` gives a promise is ready when that resolves; any other when it listens. */
  #check() {
    if (this.#state !== 'booting' || this.#servers.pending > 0) return
    if (this.place.slot !== undefined && this.#router?.pending) return
    if (this.place.slot === undefined) return this.#checkSpare()
    const listens = this.#servers.listening > 0
    if (
      this.#saidReady ||
      this.#main === 'resolved' ||
      (this.#main === 'returned' && listens) ||
      (this.#main === 'none' && !this.place.awaitsMain && listens)
    )
      this.#ready()
  }

  /** A spare that would be ready by listening can get no further. */
  #checkSpare() {
    const { held } = this.#servers
    if (!this.#saidReady && held === 0 && this.#main !== 'resolved' && this.#main !== 'waiting') return
    this.#state = 'spare'
    this.emit('spare')
  }

  #ready() {
    this.#saidReady = true
    if (this.place.slot === undefined) return this.#check()
    if (this.#state !== 'booting') return
    this.#state = 'ready'
    this.#region.set(this.#seat, SEAT.STATE, SEAT_STATE.READY)
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
   * Drains once. Later calls join the first.
   * @param {{ grace: number, idle: number }} limits
   */
  drain(limits) {
    this.#drained ??= this.#drain(limits)
    return this.#drained
  }

  /** The rest of the grace, in milliseconds; undefined while the process does not drain. */
  get graceLeft() {
    return this.#graceOver === undefined ? undefined : Math.max(0, this.#graceOver - performance.now())
  }

  async #drain(/** @type {{ grace: number, idle: number }} */ { grace, idle }) {
    this.stopping = true
    this.#graceOver = performance.now() + grace
    this.#state = 'draining'
    this.#region.set(this.#seat, SEAT.STATE, SEAT_STATE.DRAINING)
    this.emit('draining')
    this.#abort.abort()
    const report = await drain({
      servers: this.#servers,
      work: [
        ...drainHooks,
        () => this.#mailbox.whenAnswered(),
        () => this.#router?.drain(grace),
        () => this.#leaders.drain(),
        () => this.#locks.drain()
      ],
      hooks: this.#hooks,
      ownEnd: this.#ownEnd,
      grace,
      idle,
      onError: (error) => this.emit('hookError', error)
    })
    this.#stopBeat()
    this.emit('drained', report)
  }

  /** Releases the process (used if the process lives on). */
  release() {
    this.#stopBeat()
    this.#servers.release()
    this.topics.close()
    this.#router?.close()
    this.#locks.close()
    this.#keys.close()
    this.#region.clear(this.#seat)
  }
}

module.exports = { ClusterProcess }
