'use strict'

// The primary's handle to one process, from fork to exit: booting, ready, draining, exited.

const path = require('node:path')
const cluster = require('../core')
const { EventEmitter } = require('node:events')
const native = require('../../native/load')
const { Mailbox } = require('../messages')
const { causeOfDeath } = require('./causes')
const { SEAT } = require('../../native/wire')
const { microseconds } = require('../region')
const { later } = require('../../later')
const { queuedBytes } = require('../channel')
const { ownEnv, debugsBoot } = require('./spec')

const PRELOAD = path.join(__dirname, '..', 'process', 'preload.js')
/** The process keeps its grace itself. This many milliseconds later the primary ends it. */
const KILL_AFTER_GRACE = 200
/** Messages that were sent before the exit may be read for so many milliseconds after it. */
const LAST_WORDS = 250

/**
 * Events: 'spare', 'ready', 'draining' (it drains of its own accord), 'message', 'socket' (message, handle) for another process, 'handoff' ({ resent, kept, closed }), 'exit' (cause). After 'exit' nothing follows.
 */
class SupervisedProcess extends EventEmitter {
  /** @type {'booting'|'spare'|'ready'|'draining'|'stalled'|'exited'} */
  state = 'booting'
  startedAt = performance.now()
  /** @type {number|undefined} */
  readyAt
  /** Why the primary ended it, if it did. @type {{ kind: string, [detail: string]: unknown }|undefined} */
  reason
  /** Whether its end is no failure. */
  planned = false
  forced = false
  /** The grace that was over when it was killed. @type {number|undefined} */
  overdue
  /** Whether the watcher has found its memory above the limit. */
  overMemory = false
  /** The error that it has reported. @type {import('./causes').Failure|undefined} */
  error
  #region
  #cancelLimit = () => {}

  /**
   * @param {object} parts
   * @param {import('./spec').Spec} parts.spec
   * @param {import('../options').ClusterOptions} parts.options
   * @param {import('../region').SharedRegion} parts.region
   * @param {number[]} parts.descriptors the descriptors that it inherits: the region first
   * @param {import('../types').Given} parts.place
   * @param {import('./slot').Slot} [parts.holder]
   * @param {import('./handoff').Handoffs|undefined} parts.handoffs
   * @param {(process: SupervisedProcess, code: number|null, signal: string|null) => void} parts.explain sets `reason` if it
   *   knows one
   */
  constructor({ spec, options, region, descriptors, place, holder, handoffs, explain }) {
    super()
    /** Its slot; none while it is a spare. @type {import('./slot').Slot|undefined} */
    this.holder = holder
    this.slot = place.slot
    this.generation = place.generation
    this.seat = place.seat
    this.row = place.row
    this.spec = spec
    this.options = options
    this.#region = region
    region.clear(place.seat)
    region.set(place.seat, SEAT.STARTED, microseconds())
    this.#writePlace()
    this.worker = fork(spec, options, place, descriptors)
    this.pid = this.worker.process.pid
    this.handoffs = handoffs
    this.explain = explain
    handoffs?.follow(this.worker)
    this.sender = { slot: this.slot, generation: this.generation, pid: this.pid }
    const queue = { bytes: queuedBytes(this.worker.process), max: options.maxQueuedBytes }
    const send = (/** @type {object} */ message, /** @type {(error: Error|null) => void} */ done) => {
      if (!this.worker.isConnected()) return done(new Error('the process is gone'))
      this.worker.process.send({ rspool: 'message', ...message }, undefined, {}, done)
    }
    this.mailbox = new Mailbox(send, this.sender, queue)
    this.exited = new Promise((resolve) => this.once('exit', resolve))
    this.#listen()
    this.#limitBoot()
  }

  /** Writes whose seat it is, for programs outside. */
  #writePlace() {
    this.#region.set(this.seat, SEAT.SLOT, this.slot === undefined ? 0 : this.slot + 1)
    this.#region.set(this.seat, SEAT.GENERATION, this.generation)
    this.#region.set(this.seat, SEAT.ROW, this.row)
  }

  #limitBoot() {
    const { readyTimeout } = this.options
    this.#cancelLimit()
    // There is no limit while a user debugs the boot.
    if (!debugsBoot(this.spec, this.slot)) this.#cancelLimit = later(readyTimeout, () => this.#notReady())
  }

  /**
   * Gives a slot to a spare: it listens now, and is ready soon.
   * @param {import('./slot').Slot} holder
   * @param {number} row
   */
  assign(holder, row) {
    const { id: slot, generation } = holder
    Object.assign(this, { holder, slot, generation, row, state: 'booting' })
    Object.assign(this.sender, { slot, generation })
    this.#writePlace()
    this.#limitBoot()
    const env = { ...ownEnv(this.spec, slot), ...slotEnv(slot, generation) }
    this.worker.process.send({ rspool: 'assign', slot, generation, row, env }, undefined, {}, () => {})
  }

  #listen() {
    const { worker } = this
    const child = worker.process
    let code = /** @type {number|null} */ (null)
    let signal = /** @type {string|null} */ (null)
    let stopWaiting = () => {}
    let exited = false
    let disconnected = false
    const finish = () => {
      stopWaiting()
      this.#cancelLimit()
      if (this.state === 'exited') return
      this.state = 'exited'
      this.#settleHandoffs()
      this.mailbox.close()
      this.explain(this, code, signal)
      this.emit('exit', causeOfDeath(this, code, signal))
    }
    // A channel that closes while a connection is on its way emits no event. Core would think that the process lives,
    // and lose the next connection to it.
    const { disconnect } = child
    child.disconnect = function () {
      Reflect.apply(disconnect, this, [])
      setImmediate(() => {
        if (!disconnected) child.emit('disconnect')
      })
    }
    worker.on('message', (message, handle) => this.#receive(message, handle))
    worker.on('exit', (c, s) => {
      ;[code, signal, exited] = [c, s, true]
      if (disconnected || !worker.isConnected()) finish()
      // If a child of the process has the channel, the channel stays open. Core must be told of the end all the same.
      else stopWaiting = later(LAST_WORDS, () => (worker.isConnected() ? child.disconnect() : finish()))
    })
    worker.on('disconnect', () => {
      disconnected = true
      this.#settleHandoffs()
      if (exited) finish()
    })
    // A failed fork has no process. Its 'exit' may follow, or never come.
    worker.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      this.error ??= { message: error.message, code: error.code }
      if (this.pid === undefined) setImmediate(finish)
    })
  }

  #settleHandoffs() {
    const settled = this.handoffs?.settle(this.worker)
    if (settled !== undefined && settled.resent + settled.kept + settled.closed > 0) this.emit('handoff', settled)
  }

  #receive(/** @type {import('../types').ToPrimary | 'ready' | null} */ message, /** @type {unknown} */ handle) {
    // By the convention of PM2 an application that sends 'ready' is ready.
    if (message === 'ready') return this.#becomeReady()
    if (message === null || typeof message !== 'object' || typeof message.rspool !== 'string') return
    switch (message.rspool) {
      case 'ready':
        return this.#becomeReady()
      case 'spare':
        if (this.state !== 'booting' || this.holder !== undefined) return
        this.#cancelLimit()
        this.state = 'spare'
        this.emit('spare')
        return
      case 'draining':
        if (this.state === 'booting' || this.state === 'spare' || this.state === 'ready') {
          this.planned = true
          this.state = 'draining'
          this.#killAfter(this.options.grace)
          this.emit('draining')
        }
        return
      case 'drained':
        this.forced ||= message.forced === true
        return
      case 'failed':
        this.error = message.error
        return
      case 'missing':
        this.error = { message: String(message.missing) }
        return
      case 'socket':
        // If the socket has been closed meanwhile, there is no handle.
        if (handle !== undefined) this.emit('socket', message, handle)
        return
      case 'message':
        this.mailbox.receive(message)
    }
  }

  #becomeReady() {
    // A spare is ready when it has a slot and reports this again.
    if (this.state !== 'booting' || this.holder === undefined) return
    this.#cancelLimit()
    this.state = 'ready'
    this.readyAt = performance.now()
    this.#region.set(this.seat, SEAT.READY, microseconds())
    this.emit('ready')
  }

  /** A process that is not ready in time has failed. It is asked what was missing, and has a moment to answer. */
  #notReady() {
    this.reason = { kind: 'ready-timeout', limit: this.options.readyTimeout }
    if (this.worker.isConnected()) this.worker.process.send({ rspool: 'missing?' }, () => {})
    this.#cancelLimit = later(LAST_WORDS, () => this.#sigkill())
  }

  #sigkill() {
    if (this.pid !== undefined) native.killProcess(this.pid)
  }

  #killAfter(/** @type {number} */ grace) {
    this.#cancelLimit()
    this.#cancelLimit = later(grace + KILL_AFTER_GRACE, () => {
      // One that was never ready had no work that could be cut.
      this.forced ||= this.readyAt !== undefined
      this.overdue = grace
      this.#sigkill()
    })
  }

  /** Tells the process that it will have to drain. */
  announceStop() {
    if (this.worker.isConnected()) this.worker.process.send({ rspool: 'stopping' }, undefined, {}, () => {})
  }

  /**
   * Tells the process to drain, and ends it if it takes longer than its grace.
   * @param {{ kind: string }} reason
   * @param {{ grace: number, idle: number }} limits
   */
  drain(reason, { grace, idle }) {
    if (this.state === 'exited') return this.exited
    this.planned = true
    this.reason ??= reason
    this.state = 'draining'
    this.#killAfter(grace)
    if (this.worker.isConnected()) this.worker.process.send({ rspool: 'drain', grace, idle }, () => {})
    return this.exited
  }

  /** @param {{ kind: string, [detail: string]: unknown }} reason @param {{ planned?: boolean }} [how] */
  kill(reason, { planned = true } = {}) {
    if (this.state === 'exited') return this.exited
    this.planned ||= planned
    this.reason ??= reason
    // One that was never ready had no work that could be cut.
    this.forced ||= this.readyAt !== undefined
    this.#cancelLimit()
    this.#sigkill()
    return this.exited
  }
}

/**
 * @param {import('./spec').Spec} spec
 * @param {import('../options').ClusterOptions} options
 * @param {import('../types').Given} place
 * @param {number[]} descriptors
 */
function fork(spec, options, place, descriptors) {
  const output = options.output === 'inherit' ? 'inherit' : 'pipe'
  cluster.schedulingPolicy = options.policy === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR
  cluster.setupPrimary({
    exec: spec.file,
    args: spec.args,
    execArgv: [...spec.execArgv, '--require', PRELOAD],
    cwd: spec.cwd,
    serialization: options.serialization,
    silent: false,
    // The region is descriptor 4 of every process.
    stdio: ['inherit', output, output, 'ipc', ...descriptors]
  })
  const own = ownEnv(spec, place.slot)
  const settings = {
    place: { ...place, fd: 4 },
    primary: process.pid,
    grace: options.grace,
    drainIdle: options.drainIdle,
    // JSON has no Infinity.
    maxQueuedBytes: Math.min(options.maxQueuedBytes, Number.MAX_SAFE_INTEGER),
    orphanGrace: options.orphanGrace,
    budget: options.budget,
    stallStack: options.stallStack
  }
  return cluster.fork({
    // The service manager talks only to the primary.
    NOTIFY_SOCKET: undefined,
    WATCHDOG_USEC: undefined,
    LISTEN_FDS: undefined,
    LISTEN_PID: undefined,
    ...own,
    ...slotEnv(place.slot, place.generation),
    RSPOOL_CLUSTER: JSON.stringify(settings)
  })
}

/** @param {number|undefined} slot @param {number} generation */
function slotEnv(slot, generation) {
  if (slot === undefined) return { RSPOOL_SLOT: undefined, RSPOOL_GENERATION: undefined }
  return { RSPOOL_SLOT: String(slot), RSPOOL_GENERATION: String(generation) }
}

module.exports = { SupervisedProcess }
