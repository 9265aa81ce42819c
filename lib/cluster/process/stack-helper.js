'use strict'

// A thread beside the event loop of a process. The watcher, or a program outside that may write into the region, asks
// it there for something of the main thread, which may be blocked. It answers in the region.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Session } = require('node:inspector')
const { workerData } = require('node:worker_threads')
const { setTimeout: sleep } = require('node:timers/promises')
const { SEAT, ASK } = require('../../native/wire')
const { COMMANDS, TELLS, stackIn } = require('../../pool/observe/by-throw')
const { SharedRegion, microseconds } = require('../region')

const LOOK_EVERY = 50
/** A main thread that does not answer within so many milliseconds is in a native call. */
const NO_SCRIPT = 3000
/** An event loop that is silent for so many milliseconds is in one function. */
const NO_BEAT = 500
/** A profile that is not stopped ends this many milliseconds after its time. */
const FORGOTTEN = 10_000

const { place } = workerData
const region = SharedRegion.open(place.fd, place.names)
const { native } = region

let busy = false
// The timer goes on after an answer, since a session alone does not keep this thread alive.
setInterval(() => {
  if (busy) return
  const question = native.question(place.seat)
  if (question === undefined || question === null) return
  busy = true
  answer(question)
    .then(
      (text) => ({ ok: true, text }),
      (error) => ({ ok: false, text: error instanceof Error ? error.message : String(error) })
    )
    .then((said) => {
      native.answer(place.seat, question.number, said)
      busy = false
    })
}, LOOK_EVERY)

/** @param {{ kind: number, argument: number }} question @returns {Promise<string>} */
async function answer({ kind, argument }) {
  if (kind === ASK.STACK) return readStack()
  if (kind === ASK.START_PROFILE) return startProfile(argument)
  if (kind === ASK.STOP_PROFILE) return stopProfile()
  if (kind === ASK.HEAP_SNAPSHOT) return heapSnapshot()
  throw new Error(`the process does not know request ${kind}: it runs another version of rspool`)
}

/** @typedef {{ exceptionDetails?: { text: string, exception?: { description?: string } } }} Failed */
/**
 * The methods that the main thread is asked for, and its answers.
 * @typedef {{
 *   'Runtime.enable': object,
 *   'Runtime.disable': object,
 *   'Runtime.evaluate': import('../../pool/observe/by-throw').Evaluated & Failed,
 *   'Profiler.enable': object,
 *   'Profiler.start': object,
 *   'Profiler.startPreciseCoverage': object,
 *   'Profiler.stop': { profile: object }
 * }} Answers
 */
/**
 * @typedef {object} Asked
 * @property {() => void} connectToMainThread
 * @property {() => void} disconnect
 * @property {(method: string, params: object, done: (error: Error | null, answer: unknown) => void) => void} post
 */

/** A session with the main thread. The methods of the protocol give promises. */
class MainThread {
  #session = /** @type {Asked} */ (/** @type {unknown} */ (new Session()))

  constructor() {
    this.#session.connectToMainThread()
  }

  /**
   * @template {keyof Answers} M
   * @param {M} method
   * @param {object} [params]
   * @returns {Promise<Answers[M]>}
   */
  post(method, params = {}) {
    return new Promise((resolve, reject) => {
      this.#session.post(method, params, (error, answer) => {
        if (error) reject(new Error(`${method}: ${error.message}`))
        else resolve(/** @type {Answers[M]} */ (answer))
      })
    })
  }

  close() {
    this.#session.disconnect()
  }
}

/** The frames of the main thread, the innermost first. The thread is not stopped. @returns {Promise<string>} */
async function readStack() {
  const main = new MainThread()
  try {
    const answers = COMMANDS.map(({ method, params }) => main.post(method, params))
    // An answer that has not come by the end of the session will not come.
    for (const answer of answers) answer.catch(() => {})
    const late = sleep(NO_SCRIPT, undefined, { ref: false })
    const stack = stackIn(await Promise.race([answers[TELLS], late]))
    if (stack === undefined)
      throw new Error(`no JavaScript ran for ${NO_SCRIPT} ms: the main thread is in a native call`)
    return stack === '' ? '    (idle: the event loop waits)' : stack
  } finally {
    main.close()
  }
}

/** The profile that is being taken. @type {{ main: MainThread, timer: NodeJS.Timeout }|undefined} */
let profile

/** @param {number} seconds */
async function startProfile(seconds) {
  if (profile !== undefined) throw new Error('a CPU profile of this process is being taken already')
  const main = new MainThread()
  const timer = setTimeout(endProfile, seconds * 1000 + FORGOTTEN)
  profile = { main, timer }
  try {
    await main.post('Profiler.enable')
    const silent = (microseconds() - region.get(place.seat, SEAT.BEAT)) / 1000 > NO_BEAT
    // The profiler does not see a loop that was optimised while it ran. Coverage returns such functions to code that
    // the profiler knows.
    if (silent) await main.post('Profiler.startPreciseCoverage', { callCount: false, detailed: false })
    await main.post('Profiler.start')
  } catch (error) {
    endProfile()
    throw error
  }
  return ''
}

async function stopProfile() {
  if (profile === undefined) throw new Error('no CPU profile of this process is being taken')
  const { main } = profile
  try {
    const result = await main.post('Profiler.stop')
    const file = freshFile('cpuprofile')
    fs.writeFileSync(file, JSON.stringify(result.profile))
    return file
  } finally {
    endProfile()
  }
}

function endProfile() {
  clearTimeout(profile?.timer)
  profile?.main.close()
  profile = undefined
}

/** The main thread writes the profile, since it may be larger than the heap of this thread. */
async function heapSnapshot() {
  const main = new MainThread()
  const file = freshFile('heapsnapshot')
  try {
    const { exceptionDetails } = await main.post('Runtime.evaluate', {
      expression: `require('node:v8').writeHeapSnapshot(${JSON.stringify(file)})`,
      includeCommandLineAPI: true,
      silent: true
    })
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return file
  } catch (error) {
    fs.rmSync(file, { force: true })
    throw error
  } finally {
    main.close()
  }
}

/** Makes an empty file that only this user can read. @param {string} extension */
function freshFile(extension) {
  const file = path.join(os.tmpdir(), `rspool-${process.pid}-${Date.now()}.${extension}`)
  fs.closeSync(fs.openSync(file, 'wx', 0o600))
  return file
}
