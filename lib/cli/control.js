'use strict'

// Sends a command to a cluster: through its admin socket if it has one, otherwise by signals, whose effect can be seen
// in the region.

const net = require('node:net')
const { setTimeout: sleep } = require('node:timers/promises')
const { CommandError, EXIT } = require('./failure')
const { SHARED } = require('../native/wire')

const LOOK_EVERY = 20
/** A primary that reacts to a signal does so within this time, in milliseconds. */
const REACTS = 10_000

/** @typedef {import('./view').Viewer} Viewer */
/** @typedef {{ command: string, [argument: string]: unknown }} Request */

/**
 * @param {string} path
 * @param {Request} request
 * @param {number} timeout
 * @returns {Promise<{ answer: any }|undefined>} undefined if no program listens there
 */
function askSocket(path, request, timeout) {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = net.connect({ path })
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new CommandError(EXIT.failed, `the primary did not answer within ${timeout / 1000} s`))
    }, timeout)
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`))
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      clearTimeout(timer)
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') return resolve(undefined)
      reject(new CommandError(error.code === 'EACCES' ? EXIT.denied : EXIT.failed, `admin socket: ${error.message}`))
    })
    socket.on('end', () => {
      clearTimeout(timer)
      if (text === '') return reject(new CommandError(EXIT.failed, 'the primary ended without an answer'))
      const answer = JSON.parse(text)
      if (answer.ok) resolve({ answer: answer.value })
      else reject(new CommandError(answer.denied ? EXIT.denied : EXIT.failed, answer.message))
    })
  })
}

/**
 * Has the cluster carry out a command, by socket or by signal.
 * @param {Viewer} viewer
 * @param {Request} request for the socket
 * @param {(how: Signals) => unknown} bySignals
 * @param {number} timeout in milliseconds
 * @returns {Promise<{ by: 'socket'|'signal', answer?: any }>}
 */
async function control(viewer, request, bySignals, timeout) {
  const { pid, about, region } = viewer.cluster
  if (about.admin !== undefined && region.getShared(SHARED.ADMIN) === 1) {
    const told = await askSocket(`/proc/${pid}/root${about.admin}`, request, timeout)
    if (told !== undefined) return { by: 'socket', answer: told.answer }
  }
  await bySignals(new Signals(viewer, timeout))
  return { by: 'signal' }
}

class Signals {
  #viewer
  #end
  #timeout

  /** @param {Viewer} viewer @param {number} timeout */
  constructor(viewer, timeout) {
    this.#viewer = viewer
    this.#timeout = timeout
    this.#end = performance.now() + timeout
  }

  get region() {
    return this.#viewer.cluster.region
  }

  /** @param {NodeJS.Signals} signal */
  toPrimary(signal) {
    const { pid, about } = this.#viewer.cluster
    // Without handlers a signal would end the cluster.
    if (!about.signals)
      throw new CommandError(
        EXIT.failed,
        'the cluster listens to no signals (signals: false) and has no admin socket. Start it with admin: true'
      )
    this.send(pid, signal)
  }

  /** @param {number} pid @param {NodeJS.Signals} signal */
  send(pid, signal) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error)
      if (code === 'EPERM') throw new CommandError(EXIT.denied, `process ${pid} may not be sent a signal`)
      throw new CommandError(EXIT.none, `process ${pid} has ended`)
    }
  }

  /**
   * Looks repeatedly until the condition is true.
   * @param {string} what the condition, for the message when the time is over
   * @param {(view: import('./view').ClusterView) => boolean} test
   * @param {{ within?: number, mayEnd?: boolean }} [how]
   */
  async until(what, test, { within = this.#timeout, mayEnd = false } = {}) {
    const end = Math.min(this.#end, performance.now() + within)
    for (;;) {
      const view = this.#viewer.look()
      if (test(view)) return view
      if (!view.primary.alive) {
        if (mayEnd) return view
        throw new CommandError(EXIT.failed, `the primary has ended before ${what}`)
      }
      if (performance.now() >= end) {
        const hangs = view.primary.responsive
          ? ''
          : `: the primary hangs (silent for ${Math.round(view.primary.beatAgeMs)} ms)`
        throw new CommandError(EXIT.failed, `gave up waiting until ${what}${hangs}`)
      }
      await sleep(LOOK_EVERY)
    }
  }

  /** Reloads. Fails if the new processes do not get ready. */
  async reload() {
    const count = (/** @type {number} */ word) => this.region.getShared(word)
    const [done, failed] = [count(SHARED.RELOADED), count(SHARED.RELOADS_FAILED)]
    this.toPrimary('SIGUSR2')
    await this.until(
      'the cluster was reloaded',
      () => count(SHARED.RELOADED) > done || count(SHARED.RELOADS_FAILED) > failed
    )
    if (count(SHARED.RELOADS_FAILED) > failed)
      throw new CommandError(
        EXIT.failed,
        'the reload failed and the old processes serve on; the log of the primary says why'
      )
  }

  /**
   * One signal adds or removes one process. The system merges equal pending signals, so each is sent when the effect of
   * the one before has been seen.
   * @param {number} size
   */
  async scale(size) {
    for (let now = this.#viewer.look().size; now !== size; ) {
      const next = now < size ? now + 1 : now - 1
      this.toPrimary(now < size ? 'SIGTTIN' : 'SIGTTOU')
      const seen = await this.until(`there were ${next} slots`, (view) => view.size !== now, { within: REACTS })
      now = seen.size
    }
    await this.until(
      `${size} processes were ready, and no other was left`,
      ({ processes, leaving }) =>
        leaving === 0 && processes.filter(({ state }) => state === 'ready' || state === 'failed').length === size
    )
  }

  stop() {
    this.toPrimary('SIGTERM')
  }

  /**
   * The process drains and another takes its place.
   * @param {number} slot
   * @param {number} pid
   * @param {'SIGTERM'|'SIGKILL'} signal
   */
  async restart(slot, pid, signal) {
    this.send(pid, signal)
    await this.until(`slot ${slot} had another process that is ready`, ({ processes }) => {
      const now = processes.find((each) => each.slot === slot)
      return now !== undefined && now.pid !== undefined && now.pid !== pid && now.state === 'ready'
    })
  }
}

/** In milliseconds. @param {Record<string, any>} values */
const timeoutOf = ({ timeout = 120 }) => timeout * 1000

module.exports = { control, Signals, timeoutOf }
