'use strict'

// The parts of a pool: its scheduler, its isolates, the way of its tasks, its phase and its readings. The less common
// ways to call take the parts that they need from here.

const { pools } = require('../native/drain')
const { bound, calls } = require('../native/environment')
const { NOTICE, REMINDER } = require('../native/wire')
const { WorkerStartError } = require('../errors')
const { Events } = require('./events')
const { labelOf, takeLabel, giveLabelBack } = require('./labels')
const { sizeOptions } = require('./options')
const { tellPool } = require('./observe/debug')
const { PoolScope } = require('./observe/watch')
const { Phase } = require('./phase')
const { forPool } = require('./plugins/load')
const { Readings } = require('./readings')
const { Lookup } = require('./task/lookup')
const { Settings } = require('./task/settings')
const { Submitter } = require('./task/submitter')

/** @typedef {import('./options/pool-options').ResolvedOptions} ResolvedOptions */
/** @typedef {InstanceType<typeof import('./task/targets').Target>} Target */
/** @typedef {InstanceType<typeof import('./task/task').Task>} Task */

class Parts {
  /** @type {Readonly<ResolvedOptions>} */
  options
  /** The settings of a task without options. */
  defaults
  native
  /** @type {InstanceType<typeof import('./isolates').Isolates>} */
  isolates
  lookup
  /** @type {InstanceType<typeof Submitter>} */
  submitter
  phase
  readings
  paused = false
  #events

  /**
   * @param {import('./pool').Pool} pool
   * @param {ReturnType<import('./options')['poolOptions']>} given
   */
  constructor(pool, given) {
    this.options = Object.freeze(Object.assign(given, { label: given.label ?? labelOf(given.filename) }))
    const { filename, label, name, timing } = this.options
    this.defaults = new Settings(this.options)
    const configure = forPool(this.options.plugins)
    this.native = makeNative(this.options)
    configure(this.native)
    const { native } = this
    // Isolates outlive the calls that they are started for: their events belong to the pool.
    const scope = new PoolScope()
    this.#events = new Events(pool, label, scope)
    // Loaded here, since it loads worker_threads, which a process that only counts or calls other processes does not
    // need.
    const { Isolates } = require('./isolates')
    this.isolates = new Isolates(this, scope)
    const { isolates } = this
    this.lookup = new Lookup(filename, name)
    this.submitter = new Submitter({
      native,
      options: this.options,
      main: this.lookup.main,
      isolates,
      watching: { pool, timing: timing === true, scope, threadIdOf: (worker) => isolates.all.get(worker)?.threadId },
      onDrain: () => this.emit('drain'),
      onEmpty: () => this.phase.empty()
    })
    this.readings = new Readings(native, isolates, () => this.options)
    this.phase = new Phase(this.#life())
    takeLabel(label)
    tellPool(label, `opens, with up to ${this.options.maxThreads} workers`)
    pools.set(native.uid, {
      control: (notice, about, why) => this.#control(notice, about, why),
      wanted: (worker, slot, ticket, generation, target) => isolates.wanted(worker, slot, ticket, generation, target),
      load: () => native.load(),
      readable: () => this.readings.readable
    })
    if (filename !== undefined) isolates.starts.minimum()
  }

  /** @returns {import('./phase').Life} */
  #life() {
    const { native, isolates, readings, submitter } = this
    return {
      native,
      pending: () => submitter.pending,
      isolates: () => isolates.all.size + isolates.ending.size,
      refuse: () => {
        tellPool(this.options.label, 'closes')
        // Waiting tasks must end too.
        this.pause(false)
        submitter.open = false
      },
      stopStarts: () => isolates.starts.stop(),
      terminate: () => {
        tellPool(this.options.label, 'is destroyed')
        isolates.terminateAll()
      },
      prepare: () => readings.prepare(),
      keep: () => readings.keep(),
      ended: () => {
        tellPool(this.options.label, 'has ended')
        pools.delete(native.uid)
        giveLabelBack(this.options.label)
        this.emit('close')
      }
    }
  }

  // ---- what the scheduler asks for -------------------------------------------------------------

  /**
   * @param {number} notice
   * @param {number} about
   * @param {number} why
   */
  #control(notice, about, why) {
    const { isolates, native, phase } = this
    if (notice === NOTICE.START) {
      // The scheduler counts this worker since it asked for it. If the pool has ended meanwhile, the worker is reported
      // as gone.
      if (phase.hasWork) isolates.start(about)
      else native.leave(about)
    } else if (notice === NOTICE.READY) isolates.ready(about)
    else if (notice === NOTICE.TERMINATE) isolates.terminate(about, why)
    else if (notice === NOTICE.GONE) isolates.gone(about)
    else if (notice === NOTICE.LOOK) isolates.look(about)
    else if (notice === NOTICE.STARTED_TOO_LATE) isolates.startedTooLate(about)
    else if (notice === NOTICE.NOT_BEGUN) isolates.notBegun(about)
    else if (notice === NOTICE.STALLED) isolates.stalled(about)
    else if (notice === NOTICE.REMIND) this.#remind(about)
    else if (notice === NOTICE.LANE_ENDED) phase.laneEnded(about)
  }

  /** @param {number} what was waited for */
  #remind(what) {
    if (what === REMINDER.CLOSE) this.phase.destroy()
    else if (what === REMINDER.OUTPUT) this.isolates.flushedEnough()
    else if (what === REMINDER.RETRY) this.isolates.starts.retry()
  }

  // ---- what isolates ask for -------------------------------------------------------------------

  get uid() {
    return this.native.uid
  }

  /** Whether workers are started. */
  isOpen() {
    return this.phase.hasWork
  }

  /**
   * The call in flight with this ticket. A ticket is used again; a generation is not.
   * @param {number} ticket
   * @param {number} generation
   * @returns {Task | undefined}
   */
  taskOf(ticket, generation) {
    const task = /** @type {Task | undefined} */ (calls[ticket])
    return task?.generation === generation ? task : undefined
  }

  /**
   * An isolate has not found the function of this number.
   * @param {number} number
   */
  notFound(number) {
    const target = this.submitter.numbers.forget(number)
    if (target !== undefined) this.lookup.forget(target)
  }

  /**
   * @param {string} event
   * @param {unknown[]} args
   */
  emit(event, ...args) {
    this.#events.emit(event, ...args)
  }

  /**
   * @param {unknown} error that no task is told of
   * @param {string} [what]
   */
  complain(error, what) {
    this.#events.complain(error, what)
  }

  /** An isolate has ended. */
  ended() {
    this.phase.advance()
  }

  // ---- what calls need -------------------------------------------------------------------------

  get capacity() {
    return this.submitter.capacity
  }

  /**
   * @param {unknown} task undefined for what `run` calls
   * @returns {Target}
   */
  target(task) {
    return this.lookup.named(task)
  }

  /** @param {import('./task/settings').Given} [given] */
  settings(given) {
    return new Settings(this.options, given)
  }

  /**
   * @param {Target} target
   * @param {unknown} input
   * @param {Settings} settings
   * @returns {Promise<unknown>}
   */
  submit(target, input, settings) {
    return this.submitter.submit(target, input, settings)
  }

  // ---- steering --------------------------------------------------------------------------------

  /** @param {boolean} paused */
  pause(paused) {
    this.native.pause((this.paused = paused))
  }

  /** @param {unknown} sizes */
  resize(sizes) {
    const size = sizeOptions(sizes, this.options)
    this.phase.mustBeOpen()
    this.options = Object.freeze({ ...this.options, ...size })
    this.submitter.capacity = size.maxThreads * this.options.concurrentTasksPerWorker
    this.native.resize(size.minThreads, size.maxThreads)
    if (this.options.filename !== undefined) this.isolates.starts.minimum()
  }
}

/** @param {ResolvedOptions} options */
function makeNative(options) {
  const { minThreads, maxThreads, niceIncrement = 0, pin = false, isolate = false, recycle, groups = {} } = options
  const native = bound.createPool(
    minThreads,
    maxThreads,
    options.maxQueue,
    options.concurrentTasksPerWorker,
    options.abortGrace,
    options.idleTimeout,
    niceIncrement,
    pin,
    options.startTimeout,
    options.stallTimeout,
    options.label
  )
  if (native === undefined) throw new WorkerStartError('The system gives no thread for the time limits of the pool')
  if (isolate || recycle !== undefined) {
    native.recycle(recycle?.tasks ?? Infinity, recycle?.age ?? Infinity, isolate)
  }
  for (const [name, { weight, maxRunning }] of Object.entries(groups)) native.configureGroup(name, weight, maxRunning)
  return native
}

module.exports = { Parts }
