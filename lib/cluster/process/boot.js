'use strict'

// Binds a ClusterProcess to the primary: IPC, signals, the parent-death guard, the exit.

const cluster = require('../core')
const native = require('../../native/load')
const { SharedRegion } = require('../region')
const { openMaps } = require('../maps')
const { ClusterProcess } = require('.')
const { Mailbox } = require('../messages')
const { queuedBytes } = require('../channel')
const { OwnEnd } = require('./own-end')
const { setCurrent } = require('../current')
const { complain, flush } = require('../output')

/** The descriptor of the channel to the primary, as `fork` passes it. */
const CHANNEL = 3

/** @param {import('../types').Settings} settings as the primary passed them */
function boot(settings) {
  const { place, grace, drainIdle, orphanGrace, primary } = settings
  native.guardParent(primary, orphanGrace)
  const region = SharedRegion.open(place.fd, place.names)
  if (settings.budget) region.native.useBudget(place.seat)
  const send = (/** @type {object} */ message, /** @type {(error: Error|null) => void} */ done = () => {}) => {
    if (!process.connected) return done(new Error('the primary is gone'))
    process.send?.(message, undefined, {}, done)
  }
  const queue = { bytes: queuedBytes(process), max: settings.maxQueuedBytes }
  const mailbox = new Mailbox((message, done) => send({ rspool: 'message', ...message }, done), {}, queue)
  const ownEnd = new OwnEnd(() => half.drain({ grace, idle: drainIdle }))
  /** @type {ConstructorParameters<typeof ClusterProcess>[0]['handOver']} */
  const handOver = (message, handle, done) => {
    if (!process.connected) return done(new Error('the primary is gone'))
    process.send?.(message, /** @type {import('node:net').Socket} */ (/** @type {unknown} */ (handle)), {}, done)
  }
  const half = new ClusterProcess({ region, place, mailbox, maps: openMaps(place.maps, place.seat), ownEnd, handOver })
  setCurrent(half)

  let leaving = false
  /** The channel keeps its order, so everything sent before goes first. */
  const leave = (/** @type {object} */ message, /** @type {number|undefined} */ code) => {
    if (leaving) return
    leaving = true
    send(message, () => flush(half.graceLeft ?? grace).then(() => ownEnd.exit(code)))
  }

  half.on('spare', () => send({ rspool: 'spare' }))
  half.on('ready', () => {
    process.off('uncaughtException', onBootError)
    if (settings.stallStack) startStackHelper(place)
    send({ rspool: 'ready' })
  })
  half.on('failed', (error) => leave({ rspool: 'failed', error: describe(error) }, 1))
  half.on('draining', () => send({ rspool: 'draining' }))
  half.on('hookError', (error) => complain('rspool: an onDrain hook failed:', error))
  half.on('drained', (report) => leave({ rspool: 'drained', ...report }, undefined))

  // The primary reports an error at boot once. Each process does not report it at each attempt.
  const onBootError = (/** @type {unknown} */ error) => {
    if (process.listenerCount('uncaughtException') > 1) return
    half.emit('failed', error)
  }
  process.on('uncaughtException', onBootError)

  process.on('message', (/** @type {import('../types').ToProcess} */ message, /** @type {any} */ handle) => {
    if (message === null || typeof message !== 'object') return
    if (message.rspool === 'drain') half.drain({ grace: message.grace, idle: message.idle })
    else if (message.rspool === 'stopping') half.stopping = true
    else if (message.rspool === 'assign') assign(half, message)
    else if (message.rspool === 'socket') half.receiveSocket(message, handle)
    else if (message.rspool === 'message') mailbox.receive(message)
    else if (message.rspool === 'missing?') send({ rspool: 'missing', missing: half.missing })
  })

  // An application that disconnects from its primary wants to end. Core does the same when the primary is gone.
  const { disconnect } = process
  const end = () => {
    if (native.hasEnded(CHANNEL)) Reflect.apply(disconnect, process, [])
    else half.drain({ grace, idle: drainIdle })
  }
  process.disconnect = end
  const leaveCluster = /** @this {import('node:cluster').Worker} */ function () {
    end()
    return this
  }
  Object.assign(cluster.worker ?? {}, { disconnect: leaveCluster, kill: leaveCluster, destroy: leaveCluster })

  // Core would exit at once when the primary is gone. Here the thread of the guard ends the process in time.
  process.prependListener('disconnect', () => {
    const worker = cluster.worker
    if (leaving || worker === undefined) return
    worker.exitedAfterDisconnect = true
    process.once('exit', () => native.killDescendants())
    half.drain({ grace: orphanGrace * 0.8, idle: 0 }).then(() => ownEnd.exit(1))
  })
}

/**
 * Gives a spare its slot, and the variables of the environment for it.
 * @param {ClusterProcess} half
 * @param {Extract<import('../types').ToProcess, { rspool: 'assign' }>} message
 */
function assign(half, { env, ...place }) {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = String(value)
  }
  half.assign(place)
}

/** @param {object} place */
function startStackHelper(place) {
  const { Worker } = require('node:worker_threads')
  const helper = new Worker(require.resolve('./stack-helper'), {
    workerData: { place },
    // The preloads and settings of the application are not for this thread.
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 }
  })
  // Without the thread a stall is reported without its stack.
  helper.on('error', () => {})
  helper.unref()
}

/** The parts of an error that are sent to the primary. @param {unknown} error */
function describe(error) {
  if (!(error instanceof Error)) return { message: `threw ${String(error)}` }
  const { name, message, stack, code } = /** @type {NodeJS.ErrnoException} */ (error)
  return { name, message, stack, code }
}

module.exports = { boot }
