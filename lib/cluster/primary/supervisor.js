'use strict'

// The supervisor: the primary's half of the helper. It owns the slots, the region and the watcher,
// decides what a death means, and ends the primary with the right code.

const { availableParallelism } = require('../../native/load')
const { RspoolError, invalidArgument } = require('../../errors')
const { show } = require('../../pool/options/validate')
const { SEAT, REQUEST } = require('../../native/wire')
const { SharedRegion, CLAIMS, microseconds } = require('../region')
const { ClusterCounters } = require('../counters')
const { ClusterMaps } = require('../maps')
const { SharedKeys } = require('../keys')
const { Verdicts } = require('./verdict')
const { Post } = require('./post')
const { Ending } = require('./ending')
const { Seats, rowOf, ownerOf, seatsFor } = require('./seats')
const { Spares } = require('./spares')
const { Slot } = require('./slot')
const { Reloads } = require('./reload')
const { readStatus, isUnresponsive, requestOf } = require('../status')
const { installSignals } = require('./signals')
const { announce } = require('./announce')
const { withResolvers } = require('./with-resolvers')
const { Notifier } = require('./systemd')
const { Record } = require('./record')
const { AdminSocket, adminPath } = require('./admin')
const { OrphanWatch } = require('./orphans')
const { Upkeep } = require('./upkeep')
const { SharedGauges, SharedHistograms } = require('../gauges')
const { Topics, EXITS } = require('../topics')
const { prometheusText, serveMetrics } = require('../metrics')
const version = require('../../version')
const { makeLog } = require('../output')
const { FORMATS } = require('./lines')

/**
 * Events: 'state' ({ slot, pid, from, to, delay }), 'exit' ({ slot, pid, generation, cause }), 'message'
 * (message, { slot, generation, pid }), 'spare' ({ pid, to, slot, cause }), 'handoff' ({ slot, pid, generation, resent, kept, closed }), 'crashloop' ({ slot, restarts, held }), 'reload' (report),
 * 'close' (exit code).
 */
class Supervisor extends Post {
  /** @type {Slot[]} */
  #slots = []
  #spec
  #options
  #region
  #keys
  #names
  #seats
  /** @type {Spares} */
  #spares
  #size
  /** How many calls of reload() are not done. */
  #reloading = 0
  #verdicts
  /** @type {Ending} */
  #ending
  #reloads
  #upkeep
  #record
  #topics
  #notifier
  #orphans = new OrphanWatch()
  /** @type {import('node:http').Server|undefined} */
  #metricsServer
  /** @type {AdminSocket|undefined} */
  #admin
  #ready = withResolvers()
  /** @type {ReturnType<typeof withResolvers<number>>} */
  #closed = withResolvers()
  #removeSignals = () => {}
  #log
  /** @param {import('./spec').Spec} spec @param {import('../options').ClusterOptions} options as `readClusterOptions` gives them */
  constructor(spec, options) {
    super(
      (id, what) => this.#existing(id, what),
      () => this.#slots
    )
    this.#spec = spec
    this.#options = options
    const ownLine = (/** @type {string} */ line) => FORMATS.json({ pid: process.pid }, 'stderr', line)
    this.#log = makeLog(options.log, options.output === 'json' ? ownLine : undefined)
    this.#size = options.processes
    this.#names = { counters: options.counters, gauges: options.gauges, histograms: options.histograms }
    const room = {
      rows: rowOf(options, options.maxProcesses),
      seats: seatsFor(options),
      slots: options.maxProcesses,
      tokens: availableParallelism(),
      claims: CLAIMS,
      once: options.onceKeys,
      limits: Object.keys(options.limits).length > 0 ? options.limitKeys : 0,
      ring: options.publishBytes
    }
    this.#region = SharedRegion.create(this.#names, room, describe(spec, options, this.#names))
    this.#region.useRow(0)
    this.#record = new Record(this.#region, () => this.#slots)
    this.#record.size(this.#size)
    this.counters = new ClusterCounters(this.#region, 0, { fd: this.#region.native.fd, names: this.#names })
    this.gauges = new SharedGauges(this.#region, 0)
    this.histograms = new SharedHistograms(this.#region, 0)
    this.#topics = new Topics(this.#region, { generation: 0 })
    this.#keys = new SharedKeys(this.#region.native.fd, -1, options.limits)
    this.limits = this.#keys.limits
    const maps = new ClusterMaps(options.maps, room.seats)
    this.maps = maps.maps
    this.#verdicts = new Verdicts(options)
    this.#ending = new Ending(options, {
      slots: () => this.#slots,
      spares: () => this.#spares,
      refuse: () => this.#seats.refuse(),
      passedOn: () => this.#seats.passedOn(),
      begun: (why) => {
        this.#record.phase('stopping')
        this.#ready.reject(why)
        this.#notifier.stopping()
      },
      finished: (code, exits) => this.#finished(code, exits)
    })
    this.#reloads = new Reloads({
      slots: () => this.#slots,
      spec: () => this.#spec,
      setSpec: (next) => {
        this.#spec = next
        // What the former code did is not held against the new one.
        this.#verdicts.forget()
      },
      errorsOf: (process) => this.#region.get(process.seat, SEAT.ERRORS),
      stopped: () => !this.#ending.running,
      done: (report) => {
        this.#record.reloaded(true)
        announce(this, 'reload', report)
      },
      failed: (error) => {
        this.#record.reloaded(false)
        if (this.#ending.running) this.#log(`reload: ${error.message}`)
        // The callers that wait for the reload hear of it first.
        setImmediate(() => this.#endIfLost())
      }
    })
    this.#upkeep = new Upkeep(this.#region, maps, options, {
      replace: (process, reason) => this.#recycle(process, reason),
      stalled: ({ holder, sender }, silentMs, stack) => {
        holder?.markStalled()
        announce(this, 'stalled', { ...sender, silentMs, stack })
      },
      memory: ({ sender }, rss) => announce(this, 'memory', { ...sender, rss }),
      silent: (process, ms) => this.#log(this.#silence(process, ms))
    })
    this.#seats = new Seats(this.#region, maps, options, this.#names, {
      upkeep: this.#upkeep,
      gauges: this.gauges,
      announce: (name, info) => {
        if (info.cause?.forced) this.#ending.noteForced()
        announce(this, name, info)
      },
      exited: (pid) => this.#topics.tell(EXITS, pid),
      message: (message, info) => this.emit('message', message, info),
      request: (message, info) => this.answerRequest(message, info),
      log: this.#log,
      wanted: () => this.#ending.serving && this.#slots.some((slot) => slot.expects)
    })
    this.#spares = new Spares(options, {
      limits: { grace: options.grace, idle: options.drainIdle },
      spec: () => this.#spec,
      wanted: () => this.#ending.running && this.#reloading === 0 && !this.#slots.some((slot) => slot.expects),
      fork: (number, spec) => this.#seats.forkSpare(number, spec),
      assign: (process, slot) => this.#seats.assign(process, slot),
      changed: (info) => announce(this, 'spare', info),
      log: this.#log
    })
    this.#notifier = new Notifier(() => this.#serves)
    this.ready.then(
      () => this.#notifier.ready(this.#size),
      () => {}
    )
    if (options.metricsPort !== undefined) {
      this.#metricsServer = serveMetrics(
        { port: options.metricsPort, host: options.metricsHost },
        {
          metrics: () => this.metrics(),
          ready: () => this.#ending.running && this.#responds,
          alive: () => !this.#slots.length || this.#slots.some(({ state }) => state !== 'failed'),
          log: this.#log
        }
      )
    }
    const socket = adminPath(options.admin)
    if (socket !== undefined) {
      /** @type {import('./admin').Commands} */
      const commands = {
        reload: () => this.reload(),
        scale: ({ size }) => this.scale(size),
        restart: ({ slot }) => this.restart(slot),
        // The caller has its answer before this program may end.
        stop: () => {
          setImmediate(() => this.#ending.stop('SIGTERM'))
        }
      }
      this.#admin = new AdminSocket(socket, commands, {
        opened: () => this.#record.admin(true),
        log: (line) => this.#log(line)
      })
    }
    // Programs that do not wait for it learn of it by the exit code.
    this.#ready.promise.catch(() => {})
    if (options.signals)
      this.#removeSignals = installSignals(
        this,
        (signal) => this.#ending.stop(signal),
        (code) => this.#ending.force(code)
      )
    // The first goes alone: if it cannot boot, few forks tell so. Listeners can be added before it starts.
    setImmediate(() => {
      if (this.#ending.running) this.#slot(0).start()
    })
  }

  /** Resolves when every slot has a ready process (or has failed while others are ready); rejects when none could boot. */
  get ready() {
    return this.#ready.promise
  }

  /** Resolves with the exit code when the last process has gone. */
  get closed() {
    return this.#closed.promise
  }

  get size() {
    return this.#size
  }

  get #serves() {
    return this.#slots.some(({ current }) => current?.state === 'ready')
  }

  /** Is there a process that would answer now? */
  get #responds() {
    return this.#slots.some(({ current }) => current?.state === 'ready' && !isUnresponsive(this.#region, current.seat))
  }

  /** What the log says of a process that does not respond, or does again. */
  #silence(
    /** @type {import('./supervised').SupervisedProcess} */ { slot, pid, seat },
    /** @type {number|undefined} */ ms
  ) {
    const who = `slot ${slot} (process ${pid})`
    if (ms === undefined) return `${who} responds again`
    const request = requestOf(this.#region, seat, REQUEST.LAST)
    const last =
      request === undefined
        ? ''
        : `; the last request begun is ${request.method} ${request.url ?? ''}, ${Math.round(request.ageMs)} ms ago`
    return `${who} does not respond: its event loop has not turned for ${Math.round(ms)} ms${last}`
  }

  /** The processes that serve: { slot, pid, generation, state }. */
  get processes() {
    return this.#slots
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
      if (this.#ending.running) this.#notifier.ready(this.#size)
    }
  }

  /**
   * Changes the number of processes; resolves when the new ones are ready or the old ones gone.
   * @param {number} size
   */
  async scale(size) {
    this.#assertRunning('scale')
    const { maxProcesses } = this.#options
    if (!Number.isInteger(size) || size < 1 || size > maxProcesses) {
      throw invalidArgument(
        `scale: the number of processes must be an integer from 1 to 'maxProcesses' (${maxProcesses}), got ${show(size)}`
      )
    }
    this.#size = size
    this.#record.size(size)
    const gone = this.#slots
      .slice(size)
      .filter(({ state }) => state !== 'stopped')
      .map((slot) => slot.stop({ kind: 'scale' }))
    const added = []
    for (let id = 0; id < size; id++) {
      const slot = this.#slot(id)
      if (slot.state === 'stopped' || (slot.state === 'draining' && slot.current === undefined)) {
        slot.start()
        added.push(slot)
      }
    }
    await Promise.all([...gone, ...added.map((slot) => slot.settled())])
  }

  /**
   * Replaces the process of one slot, the new one first. @param {number} id
   */
  async restart(id) {
    this.#assertRunning('restart')
    const slot = this.#existing(id, 'restart')
    if (slot.current?.state === 'ready') {
      await slot.replace({ kind: 'restart' })
    } else {
      slot.failures = 0
      if (slot.current === undefined) slot.start()
      await slot.settled()
    }
  }

  /** Drains all processes and ends. Resolves when the last has gone. */
  stop() {
    return this.#ending.stop()
  }

  /** Publishes to all processes and to this one. @param {string} topic @param {unknown} message */
  publish(topic, message) {
    this.#topics.publish(topic, message)
  }

  /**
   * Hears what is published about a topic; gives what ends that.
   * @param {string} topic
   * @param {import('../topics').Listener} listener
   * @param {unknown} [options]
   */
  subscribe(topic, listener, options) {
    return this.#topics.subscribe(topic, listener, options)
  }

  /** All that is known, without asking any process. */
  status() {
    return readStatus({
      spares: this.#spares.processes(),
      slots: this.#slots,
      region: this.#region,
      counters: this.counters,
      size: this.#size,
      phase: this.#ending.phase,
      rowOf: (/** @type {number} */ slot) => rowOf(this.#options, slot),
      upkeep: this.#upkeep
    })
  }

  /** The same and all counters as Prometheus text. */
  metrics() {
    const { counters, gauges, histograms } = this
    const owner = (/** @type {number} */ row) => ownerOf(this.#options, row)
    return prometheusText({ status: this.status(), region: this.#region, owner, counters, gauges, histograms })
  }

  /** Puts a new process in the place of one that is not well any more. */
  async #recycle(
    /** @type {import('./supervised').SupervisedProcess} */ process,
    /** @type {{ kind: string }} */ reason
  ) {
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
      // Two are never on their way at once.
      await process.exited
    } catch (error) {
      this.#log(`slot ${slot.id} could not be replaced (${reason.kind}): ${/** @type {Error} */ (error).message}`)
    }
  }

  #slot(/** @type {number} */ id) {
    for (let next = this.#slots.length; next <= id; next++) {
      this.#slots.push(
        new Slot(next, {
          options: this.#options,
          spec: () => this.#spec,
          fork: (slot, spec) => this.#newProcess(slot, spec),
          died: (slot, cause) => this.#died(slot, cause),
          changed: (slot, from) => this.#changed(slot, from)
        })
      )
    }
    return this.#slots[id]
  }

  /** Reloads want what is on the disk now, and not what a spare has loaded. */
  #newProcess(/** @type {Slot} */ slot, /** @type {import('./spec').Spec} */ spec) {
    const spare = this.#reloading === 0 ? this.#spares.take(slot, spec) : undefined
    return spare ?? this.#seats.fork(slot, spec)
  }

  /** @returns {'restart'|'hold'} */
  #died(/** @type {Slot} */ slot, /** @type {import('./causes').Cause} */ cause) {
    const others = this.#slots.some((other) => other !== slot && other.current?.state === 'ready')
    // One that takes over may end the loop; if it does not, the end of the reload is the end.
    const hope = this.#reloading > 0 && this.#slots.some(({ next }) => next !== undefined)
    const verdict = this.#verdicts.judge(others || hope)
    if (verdict === 'no-boot') {
      const { bootFailures } = this.#verdicts
      this.#fail('noBoot', `no process could boot in ${bootFailures} attempts; the last ${cause.message}`)
    } else if (verdict === 'crash-loop') {
      this.#fail('crashLoop', `crash loop, and no process is ready; slot ${slot.id} ${cause.message}`)
    } else if (this.#verdicts.everReady) {
      this.#log(`slot ${slot.id} ${cause.message}${verdict === 'hold' ? '; held, as processes crash in a loop' : ''}`)
    }
    if (verdict === 'hold') announce(this, 'crashloop', { slot: slot.id, restarts: slot.restarts, held: true })
    setImmediate(() => this.#checkReady())
    return verdict === 'restart' ? 'restart' : 'hold'
  }

  #changed(/** @type {Slot} */ slot, /** @type {string} */ from) {
    const { id, state, delay } = slot
    const info = { slot: id, pid: slot.current?.pid, from, to: state }
    this.#record.write()
    announce(this, 'state', state === 'backing-off' ? { ...info, delay } : info)
    if (slot.state === 'ready' && !this.#verdicts.everReady) {
      this.#verdicts.everReady = true
      for (let id = 1; id < this.#size; id++) this.#slot(id).start()
    }
    this.#checkReady()
    this.#seats.review()
    if (this.#verdicts.everReady) this.#spares.fill()
  }

  #checkReady() {
    if (!this.#verdicts.everReady || !this.#ending.running) return
    const slots = this.#slots.slice(0, this.#size)
    const bad = (/** @type {Slot} */ { state, failures }) =>
      state === 'failed' || (state === 'backing-off' && failures >= this.#options.bootAttempts)
    if (slots.every((slot) => slot.state === 'ready' || bad(slot)) && slots.some(({ state }) => state === 'ready'))
      this.#ready.resolve()
  }

  /** The reload was the hope of slots that crash in a loop, and has failed. */
  #endIfLost() {
    const slots = this.#slots.slice(0, this.#size)
    if (this.#options.crashLoop.action === 'hold' || !slots.every(({ state }) => state === 'failed')) return
    this.#fail('crashLoop', 'crash loop, and no process is ready after the reload was given up')
  }

  #fail(/** @type {'noBoot'|'crashLoop'} */ why, /** @type {string} */ message) {
    if (!this.#ending.running) return
    this.#log(message)
    this.#ending.fail(why, message)
  }

  #finished(/** @type {number} */ code, /** @type {boolean} */ exits) {
    // Until it has exited, one more signal must not end it with another code.
    if (!exits) this.#removeSignals()
    this.#record.phase('stopped')
    this.#record.close()
    this.#topics.close()
    this.#upkeep.close()
    this.#orphans.close()
    this.#keys.close()
    this.#seats.close()
    this.#metricsServer?.close()
    this.#admin?.close()
    this.emit('close', code)
    this.#closed.resolve(code)
  }

  #assertRunning(/** @type {string} */ what) {
    if (!this.#ending.running)
      throw new RspoolError('ERR_RSPOOL_CLUSTER_STOPPED', `${what}: the cluster is ${this.#ending.phase}`)
  }

  #existing(/** @type {number} */ id, /** @type {string} */ what) {
    const slot = Number.isInteger(id) && id >= 0 && id < this.#size ? this.#slots[id] : undefined
    if (slot === undefined)
      throw invalidArgument(`${what}: the slot must be an integer from 0 to ${this.#size - 1}, got ${show(id)}`)
    return slot
  }
}

/**
 * What the region says of the cluster to programs outside.
 * @param {import('./spec').Spec} spec
 * @param {import('../options').ClusterOptions} options
 * @param {import('../region').Names} names
 */
function describe({ file }, { spare, maxProcesses, signals, admin }, names) {
  const { pid, version: node } = process
  return {
    kind: 'cluster',
    version,
    node,
    pid,
    started: microseconds(),
    file,
    spare,
    maxProcesses,
    signals,
    admin: adminPath(admin),
    names
  }
}

module.exports = { Supervisor }
