'use strict'

// The supervisor: the primary's half of the helper. It puts the parts of the primary together, and is the user's
// interface to them.

const { RspoolError } = require('../../errors')
const { SEAT } = require('../../native/wire')
const { Post } = require('./post')
const { Shared } = require('./shared')
const { Ending } = require('./ending')
const { Seats, rowOf, ownerOf } = require('./seats')
const { Spares } = require('./spares')
const { Slots } = require('./slots')
const { Reloads } = require('./reload')
const { readStatus, isUnresponsive } = require('../status')
const { installSignals } = require('./signals')
const { announce } = require('./announce')
const { withResolvers } = require('./with-resolvers')
const { Notifier } = require('./systemd')
const { Record } = require('./record')
const { Access } = require('./access')
const { OrphanWatch } = require('./orphans')
const { Upkeep } = require('./upkeep')
const { EXITS } = require('../topics')
const { readMetrics } = require('../metrics')
const { makeLog } = require('../output')
const { FORMATS } = require('./lines')

/** @typedef {import('./slot').Slot} Slot */
/** @typedef {import('./supervised').SupervisedProcess} SupervisedProcess */

/**
 * Events: 'state' ({ slot, pid, from, to, delay }), 'exit' ({ slot, pid, generation, cause }), 'message'
 * (message, { slot, generation, pid }), 'spare' ({ pid, to, slot, cause }), 'handoff' ({ slot, pid, generation, resent, kept, closed }), 'crashloop' ({ slot, restarts, held }), 'reload' (report),
 * 'close' (exit code).
 */
class Supervisor extends Post {
  #spec
  #options
  #shared
  #region
  /** @type {Slots} */
  #slots
  #seats
  /** @type {Spares} */
  #spares
  /** How many calls of reload() are pending. */
  #reloading = 0
  /** @type {Ending} */
  #ending
  #reloads
  #upkeep
  #record
  #notifier
  #access
  #orphans = new OrphanWatch()
  /** @type {ReturnType<typeof withResolvers<number>>} */
  #closed = withResolvers()
  #removeSignals = () => {}
  #log
  /** @param {import('./spec').Spec} spec @param {import('../options').ClusterOptions} options as `readClusterOptions` gives them */
  constructor(spec, options) {
    super(
      (id, what) => this.#slots.find(id, what),
      () => this.#slots.all
    )
    this.#spec = spec
    this.#options = options
    const ownLine = (/** @type {string} */ line) => FORMATS.json({ pid: process.pid }, 'stderr', line)
    this.#log = makeLog(options.log, options.output === 'json' ? ownLine : undefined)
    this.#shared = new Shared(spec, options)
    const { region, names, counters, gauges, histograms, topics, keys, maps } = this.#shared
    this.#region = region
    this.counters = counters
    this.gauges = gauges
    this.histograms = histograms
    this.limits = keys.limits
    this.maps = maps.maps
    this.#slots = new Slots(options, {
      spec: () => this.#spec,
      fork: (slot, spec) => this.#newProcess(slot, spec),
      running: () => this.#ending.running,
      reloading: () => this.#reloading > 0,
      sized: (size) => this.#record.size(size),
      changed: (slot, from) => {
        const { id, state, delay, current } = slot
        this.#record.write()
        const info = { slot: id, pid: current?.pid, from, to: state }
        announce(this, 'state', state === 'backing-off' ? { ...info, delay } : info)
      },
      followed: () => {
        this.#seats.review()
        if (this.#slots.everReady) this.#spares.fill()
      },
      held: (info) => announce(this, 'crashloop', info),
      fail: (why, message) => this.#fail(why, message),
      log: this.#log
    })
    this.#record = new Record(region, () => this.#slots.all)
    this.#record.size(options.processes)
    this.#ending = new Ending(options, {
      slots: () => this.#slots.all,
      spares: () => this.#spares,
      refuse: () => this.#seats.refuse(),
      passedOn: () => this.#seats.passedOn(),
      begun: (why) => {
        this.#record.phase('stopping')
        this.#slots.giveUp(why)
        this.#notifier.stopping()
      },
      finished: (code, exits) => this.#finished(code, exits)
    })
    this.#reloads = new Reloads({
      slots: () => this.#slots.all,
      spec: () => this.#spec,
      setSpec: (next) => {
        this.#spec = next
        // Deaths of the former code do not count against the new code.
        this.#slots.forget()
      },
      errorsOf: (process) => region.get(process.seat, SEAT.ERRORS),
      stopped: () => !this.#ending.running,
      done: (report) => {
        this.#record.reloaded(true)
        announce(this, 'reload', report)
      },
      failed: (error) => {
        this.#record.reloaded(false)
        if (this.#ending.running) this.#log(`reload: ${error.message}`)
        // The callers of the reload get their answer first.
        setImmediate(() => this.#slots.endIfLost())
      }
    })
    this.#upkeep = new Upkeep(region, maps, options, {
      replace: (process, reason) => this.#recycle(process, reason),
      stalled: ({ holder, sender }, silentMs, stack) => {
        holder?.markStalled()
        announce(this, 'stalled', { ...sender, silentMs, stack })
      },
      memory: ({ sender }, rss) => announce(this, 'memory', { ...sender, rss }),
      log: this.#log
    })
    this.#seats = new Seats(region, maps, options, names, {
      upkeep: this.#upkeep,
      gauges,
      announce: (name, info) => {
        if (info.cause?.forced) this.#ending.noteForced()
        announce(this, name, info)
      },
      exited: (pid) => topics.tell(EXITS, pid),
      message: (message, info) => this.emit('message', message, info),
      request: (message, info) => this.answerRequest(message, info),
      log: this.#log,
      wanted: () => this.#ending.serving && this.#slots.all.some((slot) => slot.expects)
    })
    this.#spares = new Spares(options, {
      limits: { grace: options.grace, idle: options.drainIdle },
      spec: () => this.#spec,
      wanted: () => this.#ending.running && this.#reloading === 0 && !this.#slots.all.some((slot) => slot.expects),
      fork: (number, spec) => this.#seats.forkSpare(number, spec),
      assign: (process, slot) => this.#seats.assign(process, slot),
      changed: (info) => announce(this, 'spare', info),
      log: this.#log
    })
    this.#notifier = new Notifier(() => this.#ready.length > 0)
    this.ready.then(
      () => this.#notifier.ready(this.size),
      () => {}
    )
    this.#access = new Access(options, {
      pages: {
        metrics: () => this.metrics(),
        ready: () => this.#ending.running && this.#ready.some(({ seat }) => !isUnresponsive(region, seat)),
        alive: () => !this.#slots.all.length || this.#slots.all.some(({ state }) => state !== 'failed')
      },
      commands: {
        reload: () => this.reload(),
        scale: ({ size }) => this.scale(size),
        restart: ({ slot }) => this.restart(slot),
        // The caller gets its answer before this program may end.
        stop: () => {
          setImmediate(() => this.#ending.stop('SIGTERM'))
        }
      },
      opened: () => this.#record.admin(true),
      log: this.#log
    })
    if (options.signals)
      this.#removeSignals = installSignals(
        this,
        (signal) => this.#ending.stop(signal),
        (code) => this.#ending.force(code)
      )
    // Listeners can be added before it starts.
    setImmediate(() => {
      if (this.#ending.running) this.#slots.start()
    })
  }

  /** Resolves when every slot has a ready process, or has failed while others are ready. Rejects if none could boot. */
  get ready() {
    return this.#slots.ready
  }

  /** Resolves with the exit code when the last process has ended. */
  get closed() {
    return this.#closed.promise
  }

  get size() {
    return this.#slots.size
  }

  /** The processes that are ready. */
  get #ready() {
    return this.#slots.all.flatMap(({ current }) => (current?.state === 'ready' ? current : []))
  }

  /** The processes that serve: { slot, pid, generation, state }. */
  get processes() {
    return this.#slots.all
      .filter(({ state }) => state !== 'stopped')
      .map(({ id, current, generation, state }) => ({ slot: id, pid: current?.pid, generation, state }))
  }

  /** @param {unknown} [options] see types/cluster.d.ts */
  async reload(options) {
    this.#assertRunning('reload')
    this.#notifier.reloading()
    this.#reloading++
    try {
      return await this.#reloads.run(options)
    } finally {
      this.#reloading--
      this.#spares.fill()
      if (this.#ending.running) this.#notifier.ready(this.size)
    }
  }

  /**
   * Changes the number of processes. Resolves when the new ones are ready, or the old ones have ended.
   * @param {number} size
   */
  async scale(size) {
    this.#assertRunning('scale')
    await this.#slots.scale(size)
  }

  /**
   * Replaces the process of one slot; the new process starts first. @param {number} id
   */
  async restart(id) {
    this.#assertRunning('restart')
    const slot = this.#slots.find(id, 'restart')
    if (slot.current?.state === 'ready') {
      await slot.replace({ kind: 'restart' })
    } else {
      slot.failures = 0
      if (slot.current === undefined) slot.start()
      await slot.settled()
    }
  }

  /** Drains all processes, and ends. Resolves when the last process has ended. */
  stop() {
    return this.#ending.stop()
  }

  /** Publishes a message to all processes and to this one. @param {string} topic @param {unknown} message */
  publish(topic, message) {
    this.#shared.topics.publish(topic, message)
  }

  /**
   * Subscribes to the messages of a topic. Gives a function that ends the subscription.
   * @param {string} topic
   * @param {import('../topics').Listener} listener
   * @param {unknown} [options]
   */
  subscribe(topic, listener, options) {
    return this.#shared.topics.subscribe(topic, listener, options)
  }

  /** All readings, without asking any process. */
  status() {
    return readStatus({
      spares: this.#spares.processes(),
      slots: this.#slots.all,
      region: this.#region,
      counters: this.counters,
      size: this.size,
      phase: this.#ending.phase,
      rowOf: (/** @type {number} */ slot) => rowOf(this.#options, slot),
      upkeep: this.#upkeep
    })
  }

  /** The readings and all counters as text for Prometheus. */
  metrics() {
    const { counters, gauges, histograms } = this
    const owner = (/** @type {number} */ row) => ownerOf(this.#options, row)
    return String(readMetrics({ status: this.status(), region: this.#region, owner, counters, gauges, histograms }))
  }

  /** Replaces a process that is not well any more. */
  async #recycle(/** @type {SupervisedProcess} */ process, /** @type {{ kind: string }} */ reason) {
    await this.#reloads.idle()
    const slot = process.holder
    if (!this.#ending.running || slot?.current !== process) return
    try {
      await slot.replace(reason)
      announce(this, 'recycle', {
        slot: slot.id,
        pid: process.pid,
        generation: process.generation,
        reason: reason.kind
      })
      // Two replacements are never on their way at once.
      await process.exited
    } catch (error) {
      this.#log(`slot ${slot.id} could not be replaced (${reason.kind}): ${/** @type {Error} */ (error).message}`)
    }
  }

  /** A reload must run the code that is on the disk now, not the code that a spare has loaded. */
  #newProcess(/** @type {Slot} */ slot, /** @type {import('./spec').Spec} */ spec) {
    const spare = this.#reloading === 0 ? this.#spares.take(slot, spec) : undefined
    return spare ?? this.#seats.fork(slot, spec)
  }

  #fail(/** @type {'noBoot'|'crashLoop'} */ why, /** @type {string} */ message) {
    if (!this.#ending.running) return
    this.#log(message)
    this.#ending.fail(why, message)
  }

  #finished(/** @type {number} */ code, /** @type {boolean} */ exits) {
    // Until the program has exited, another signal must not end it with another code.
    if (!exits) this.#removeSignals()
    this.#record.phase('stopped')
    this.#record.close()
    this.#shared.close()
    this.#upkeep.close()
    this.#orphans.close()
    this.#seats.close()
    this.#access.close()
    this.emit('close', code)
    this.#closed.resolve(code)
  }

  #assertRunning(/** @type {string} */ what) {
    if (!this.#ending.running)
      throw new RspoolError('ERR_RSPOOL_CLUSTER_STOPPED', `${what}: the cluster is ${this.#ending.phase}`)
  }
}

module.exports = { Supervisor }
