'use strict'

// The supervisor: the primary's half of the helper. It owns the slots, the region and the watcher,
// decides what a death means, and ends the primary with the right code.

const { EventEmitter } = require('node:events')
const { RspoolError, invalidArgument } = require('../errors')
const { show } = require('../validate')
const { SharedRegion, SEAT } = require('./region')
const { SharedCounters } = require('./counters')
const { Verdicts } = require('./verdict')
const { SupervisedProcess } = require('./supervised')
const { Slot } = require('./slot')
const { Reloads } = require('./reload')
const { Handoffs } = require('./handoff')
const { readStatus } = require('./status')
const { installSignals } = require('./signals')
const { announce } = require('./announce')
const { Notifier, InheritedSockets } = require('./systemd')
const { Upkeep } = require('./upkeep')
const { SharedGauges, SharedHistograms } = require('./gauges')
const { prometheusText, serveMetrics } = require('./metrics')

const EXIT = { clean: 0, noBoot: 3, crashLoop: 70 }
/** Row 0 of the cells is the primary's own. */
const rowOf = (/** @type {number} */ slot) => slot + 1

/**
 * Events: 'state' ({ slot, pid, from, to }), 'exit' ({ slot, pid, generation, cause }), 'message'
 * (message, { slot, generation, pid }), 'handoff' ({ slot, pid, generation, resent, closed }), 'crashloop' ({ slot, restarts, held }), 'reload' (report),
 * 'close' (exit code).
 */
class Supervisor extends EventEmitter {
  /** @type {Slot[]} */
  #slots = []
  #spec
  #options
  #region
  #names
  /** @type {number[]} */
  #freeSeats
  #size
  #verdicts
  /** @type {'running'|'stopping'|'stopped'} */
  #phase = 'running'
  /** @type {Promise<{ forced: number, durationMs: number }>|undefined} */
  #stopping
  #forced = 0
  #reloads
  #upkeep
  #notifier
  #sockets = new InheritedSockets()
  /** @type {import('node:http').Server|undefined} */
  #metricsServer
  /** @type {Handoffs|undefined} */
  #handoffs
  #ready = withResolvers()
  #closed = withResolvers()
  #removeSignals = () => {}
  #request = (/** @type {any} */ _message, /** @type {any} */ _info) => {
    throw new RspoolError('ERR_RSPOOL_NO_HANDLER', 'the supervisor has no onRequest() function')
  }

  /** @param {any} spec @param {any} options as `readClusterOptions` gives them */
  constructor (spec, options) {
    super()
    this.#spec = spec
    this.#options = options
    this.#size = options.processes
    this.#names = { counters: options.counters, gauges: options.gauges, histograms: options.histograms }
    // A slot may have a process that serves, one that boots and some that drain.
    const seats = options.maxProcesses * 3 + 8
    const tokens = require('../load').availableParallelism()
    this.#region = SharedRegion.create(this.#names, { rows: rowOf(options.maxProcesses), seats, tokens })
    this.#region.useRow(0)
    this.#freeSeats = Array.from({ length: seats }, (_, seat) => seat)
    this.counters = new SharedCounters(this.#region, 0, { fd: this.#region.native.fd, names: this.#names })
    this.gauges = new SharedGauges(this.#region, 0)
    this.histograms = new SharedHistograms(this.#region, 0)
    this.#verdicts = new Verdicts(options)
    if (options.policy === 'rr') this.#handoffs = new Handoffs()
    this.#reloads = new Reloads({
      slots: () => this.#slots,
      spec: () => this.#spec,
      setSpec: (next) => { this.#spec = next },
      errorsOf: (process) => this.#region.get(process.seat, SEAT.errors),
      stopped: () => this.#phase !== 'running'
    })
    this.#upkeep = new Upkeep(this.#region, options, {
      replace: (process, reason) => this.#recycle(process, reason),
      stalled: ({ slot, pid, generation }, silentMs, stack) => {
        this.#slots[slot].markStalled()
        announce(this, 'stalled', { slot, pid, generation, silentMs, stack })
      },
      memory: ({ slot, pid, generation }, rss) => announce(this, 'memory', { slot, pid, generation, rss })
    })
    this.#notifier = new Notifier(() => this.#slots.some(({ current }) => current?.state === 'ready'))
    this.ready.then(() => this.#notifier.ready(this.#size), () => {})
    if (options.metricsPort !== undefined) {
      this.#metricsServer = serveMetrics(options.metricsPort, options.metricsHost, () => this.metrics(), (line) => this.#log(line))
    }
    // Who does not wait for it is told by the exit code.
    this.#ready.promise.catch(() => {})
    if (options.signals) this.#removeSignals = installSignals(this, (signal) => this.#stopBySignal(signal), (code) => this.#killAll(code))
    // The first goes alone: if it cannot boot, few forks tell so. Listeners can be added before it starts.
    setImmediate(() => { if (this.#phase === 'running') this.#slot(0).start() })
  }

  /** Resolves when every slot has a ready process (or has failed while others are ready); rejects when none could boot. */
  get ready () {
    return this.#ready.promise
  }

  /** Resolves with the exit code when the last process has gone. */
  get closed () {
    return this.#closed.promise
  }

  get size () {
    return this.#size
  }

  /** The processes that serve: { slot, pid, generation, state }. */
  get processes () {
    return this.#slots.filter(({ state }) => state !== 'stopped').map(({ id, current, generation, state }) =>
      ({ slot: id, pid: current?.pid, generation, state }))
  }

  /** @param {unknown} [options] see types/cluster.d.ts */
  async reload (options) {
    this.#assertRunning('reload')
    this.#notifier.reloading()
    try {
      const report = await this.#reloads.run(options)
      announce(this, 'reload', report)
      return report
    } catch (error) {
      if (this.#phase === 'running') this.#log(`reload: ${/** @type {Error} */ (error).message}`)
      throw error
    } finally {
      if (this.#phase === 'running') this.#notifier.ready(this.#size)
    }
  }

  /**
   * Changes the number of processes; resolves when the new ones are ready or the old ones gone.
   * @param {number} size
   */
  async scale (size) {
    this.#assertRunning('scale')
    const { maxProcesses } = this.#options
    if (!Number.isInteger(size) || size < 1 || size > maxProcesses) {
      throw invalidArgument(`scale: the number of processes must be an integer from 1 to 'maxProcesses' (${maxProcesses}), got ${show(size)}`)
    }
    this.#size = size
    const gone = this.#slots.slice(size).filter(({ state }) => state !== 'stopped').map((slot) => slot.stop({ kind: 'scale' }))
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
  async restart (id) {
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
  stop () {
    return this.#stop({ grace: this.#options.grace, idle: this.#options.drainIdle })
  }

  /** Sends to the process of one slot. @param {number} slot @param {unknown} message @returns {Promise<void>} */
  async send (slot, message) {
    return this.#mailbox(slot, 'send').send(message)
  }

  /** Sends to every process that is booting or ready. @param {unknown} message */
  async broadcast (message) {
    const all = this.#slots.flatMap(({ current }) => current?.mailbox.send(message) ?? [])
    return (await Promise.allSettled(all)).filter(({ status }) => status === 'fulfilled').length
  }

  /** Sends to the process of one slot and gives its answer. @param {number} slot @param {unknown} message @param {{ timeout?: number }} [options] */
  async request (slot, message, options) {
    return this.#mailbox(slot, 'request').request(message, options)
  }

  /** Answers the requests of processes. @param {(message: any, info: any) => unknown} answer */
  onRequest (answer) {
    if (typeof answer !== 'function') throw invalidArgument(`onRequest: expected a function, got ${show(answer)}`)
    this.#request = answer
  }

  /** All that is known, without asking any process. */
  status () {
    return readStatus({
      slots: this.#slots,
      region: this.#region,
      counters: this.counters,
      size: this.#size,
      phase: this.#phase,
      rowOf,
      upkeep: this.#upkeep
    })
  }

  /** The same and all counters as Prometheus text. */
  metrics () {
    const { counters, gauges, histograms } = this
    return prometheusText({ status: this.status(), region: this.#region, counters, gauges, histograms })
  }

  /** Puts a new process in the place of one that is not well any more. */
  async #recycle (/** @type {SupervisedProcess} */ process, /** @type {{ kind: string }} */ reason) {
    await this.#reloads.idle()
    const slot = this.#slots[process.slot]
    if (this.#phase !== 'running' || slot.current !== process) return
    try {
      await slot.replace(reason)
      announce(this, 'recycle', { slot: slot.id, pid: process.pid, generation: process.generation, reason: reason.kind })
      // Two are never on their way at once.
      await process.exited
    } catch (error) {
      this.#log(`slot ${slot.id} could not be replaced (${reason.kind}): ${/** @type {Error} */ (error).message}`)
    }
  }

  #slot (/** @type {number} */ id) {
    for (let next = this.#slots.length; next <= id; next++) {
      this.#slots.push(new Slot(next, {
        options: this.#options,
        spec: () => this.#spec,
        fork: (slot, spec) => this.#fork(slot, spec),
        died: (slot, cause) => this.#died(slot, cause),
        changed: (slot, from) => this.#changed(slot, from)
      }))
    }
    return this.#slots[id]
  }

  #fork (/** @type {Slot} */ slot, /** @type {any} */ spec) {
    const seat = this.#freeSeats.pop()
    if (seat === undefined) throw new RspoolError('ERR_RSPOOL_CLUSTER_FULL', 'too many processes are still draining')
    const row = rowOf(slot.id)
    this.#region.useRow(row)
    const place = {
      slot: slot.id, generation: slot.generation, seat, row, names: this.#names, awaitsMain: spec.awaitsMain, sockets: this.#sockets.list()
    }
    const process = new SupervisedProcess({ spec, options: this.#options, region: this.#region, place, handoffs: this.#handoffs, explain: this.#upkeep.explain.bind(this.#upkeep) })
    this.#upkeep.add(process)
    const where = { slot: slot.id, pid: process.pid, generation: process.generation }
    process.worker.on('listening', () => {
      if (this.#handoffs?.check(process.worker) === false) this.#log('this version of Node hands connections over in an unknown way: what a dying process has not taken is lost')
    })
    process.on('handoff', (settled) => announce(this, 'handoff', { ...where, ...settled }))
    process.mailbox.onMessage((message, info) => this.emit('message', message, info))
    process.mailbox.onRequest((message, info) => this.#request(message, info))
    process.once('exit', (cause) => {
      this.#upkeep.remove(process)
      this.#region.native.reclaim(seat)
      this.#region.clear(seat)
      if (!slot.processes().some((other) => other !== process)) this.gauges.clearRow(row)
      this.#freeSeats.push(seat)
      if (cause.forced) this.#forced++
      announce(this, 'exit', { ...where, cause })
    })
    return process
  }

  /** @returns {'restart'|'hold'} */
  #died (/** @type {Slot} */ slot, /** @type {any} */ cause) {
    const others = this.#slots.some((other) => other !== slot && other.current?.state === 'ready')
    const verdict = this.#verdicts.judge(others)
    if (verdict === 'no-boot') {
      this.#fatal(EXIT.noBoot, `no process could boot in ${this.#verdicts.bootFailures} attempts; the last ${cause.message}`)
    } else if (verdict === 'crash-loop') {
      this.#fatal(EXIT.crashLoop, `crash loop, and no process is ready; slot ${slot.id} ${cause.message}`)
    } else if (this.#verdicts.everReady) {
      this.#log(`slot ${slot.id} ${cause.message}${verdict === 'hold' ? '; held, as processes crash in a loop' : ''}`)
    }
    if (verdict === 'hold') announce(this, 'crashloop', { slot: slot.id, restarts: slot.restarts, held: true })
    setImmediate(() => this.#checkReady())
    return verdict === 'restart' ? 'restart' : 'hold'
  }

  #changed (/** @type {Slot} */ slot, /** @type {string} */ from) {
    announce(this, 'state', { slot: slot.id, pid: slot.current?.pid, from, to: slot.state })
    if (slot.state === 'ready' && !this.#verdicts.everReady) {
      this.#verdicts.everReady = true
      for (let id = 1; id < this.#size; id++) this.#slot(id).start()
    }
    this.#checkReady()
  }

  #checkReady () {
    if (!this.#verdicts.everReady || this.#phase !== 'running') return
    const slots = this.#slots.slice(0, this.#size)
    const bad = (/** @type {Slot} */ { state, failures }) =>
      state === 'failed' || (state === 'backing-off' && failures >= this.#options.bootAttempts)
    if (slots.every((slot) => slot.state === 'ready' || bad(slot)) && slots.some(({ state }) => state === 'ready')) this.#ready.resolve()
  }

  #stopBySignal (/** @type {'SIGTERM'|'SIGINT'|'SIGQUIT'} */ signal) {
    const { grace, drainIdle } = this.#options
    // At a keyboard somebody waits for it.
    const idle = signal === 'SIGINT' ? Math.min(drainIdle, 500) : drainIdle
    return this.#stop({ grace, idle }, signal)
  }

  #stop (/** @type {{ grace: number, idle: number }} */ limits, /** @type {string} */ signal = '') {
    this.#stopping ??= (async () => {
      const start = performance.now()
      this.#phase = 'stopping'
      this.#forced = 0
      this.#ready.reject(new RspoolError('ERR_RSPOOL_CLUSTER_STOPPED', 'the cluster was stopped before it was ready'))
      this.#notifier.stopping()
      await Promise.all(this.#slots.map((slot) => slot.stop({ kind: 'stop' }, limits)))
      const forced = this.#forced
      const number = signal === '' ? undefined : require('node:os').constants.signals[/** @type {'SIGTERM'} */ (signal)]
      this.#finish(number !== undefined && forced > 0 ? 128 + number : EXIT.clean, signal !== '')
      return { forced, durationMs: performance.now() - start }
    })()
    return this.#stopping
  }

  /** A second signal: everything at once. */
  #killAll (/** @type {number} */ code) {
    const wasStopping = this.#stopping
    this.#phase = 'stopping'
    for (const slot of this.#slots) slot.kill({ kind: 'forced' })
    Promise.all(this.#slots.flatMap((slot) => slot.processes().map(({ exited }) => exited))).then(() => this.#finish(code, true))
    return wasStopping
  }

  #fatal (/** @type {number} */ code, /** @type {string} */ message) {
    if (this.#phase !== 'running') return
    this.#phase = 'stopping'
    this.#log(message)
    const error = new RspoolError(code === EXIT.noBoot ? 'ERR_RSPOOL_NO_BOOT' : 'ERR_RSPOOL_CRASH_LOOP', message)
    this.#ready.reject(Object.assign(error, { exitCode: code }))
    for (const slot of this.#slots) slot.kill({ kind: 'stop' })
    this.#stopping = Promise.all(this.#slots.flatMap((slot) => slot.processes().map(({ exited }) => exited)))
      .then(() => {
        this.#finish(code, true)
        return { forced: 0, durationMs: 0 }
      })
  }

  #finish (/** @type {number} */ code, /** @type {boolean} */ ends) {
    if (this.#phase === 'stopped') return
    this.#phase = 'stopped'
    this.#removeSignals()
    this.#upkeep.close()
    this.#metricsServer?.close()
    this.emit('close', code)
    this.#closed.resolve(code)
    if (ends && this.#options.exit) process.exit(code)
  }

  #assertRunning (/** @type {string} */ what) {
    if (this.#phase !== 'running') throw new RspoolError('ERR_RSPOOL_CLUSTER_STOPPED', `${what}: the cluster is ${this.#phase}`)
  }

  #existing (/** @type {number} */ id, /** @type {string} */ what) {
    const slot = Number.isInteger(id) && id >= 0 && id < this.#size ? this.#slots[id] : undefined
    if (slot === undefined) throw invalidArgument(`${what}: the slot must be an integer from 0 to ${this.#size - 1}, got ${show(id)}`)
    return slot
  }

  #mailbox (/** @type {number} */ id, /** @type {string} */ what) {
    const { current } = this.#existing(id, what)
    if (current === undefined) throw new RspoolError('ERR_RSPOOL_PROCESS_EXIT', `${what}: slot ${id} has no process now`)
    return current.mailbox
  }

  #log (/** @type {string} */ line) {
    const { log } = this.#options
    if (log === false) return
    if (log !== undefined) log(line)
    else process.stderr.write(`rspool: ${line}\n`)
  }
}

/** @returns {{ promise: Promise<any>, resolve: (value?: any) => void, reject: (error: Error) => void }} */
function withResolvers () {
  /** @type {any} */
  const parts = {}
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return parts
}

module.exports = { Supervisor, rowOf }
