'use strict'

// A thread beside the event loop of a process. Whoever may write into the region, the watcher or a program
// outside, asks it for something of the main thread, which may be blocked; it answers there.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Session } = require('node:inspector')
const { fileURLToPath } = require('node:url')
const { workerData } = require('node:worker_threads')
const { setTimeout: sleep } = require('node:timers/promises')
const { SharedRegion, SEAT, ASK, microseconds } = require('../region')

const LOOK_EVERY = 50
/** The main thread that runs no JavaScript for so long is in a native call. */
const NO_SCRIPT = 3000
/** A loop that is silent for so long is in one function, in milliseconds. */
const NO_BEAT = 500
const BEAT = path.join(__dirname, 'beat.js')
const TIMERS = 'node:internal/timers'
/** A profile that nobody stops ends this much later than it was to. */
const FORGOTTEN = 10_000

const { place } = workerData
const region = SharedRegion.open(place.fd, place.names)
const { native } = region

let busy = false
// The timer goes on after an answer: a session alone does not keep this thread.
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
  if (kind === ASK.stack) return readStack()
  if (kind === ASK.startProfile) return startProfile(argument)
  if (kind === ASK.stopProfile) return stopProfile()
  if (kind === ASK.heapSnapshot) return heapSnapshot()
  throw new Error(`the process does not know request ${kind}: it runs another version of rspool`)
}

/** A session with the main thread; the methods of the protocol as promises. */
class MainThread {
  session = /** @type {any} */ (new Session())

  constructor() {
    this.session.connectToMainThread()
  }

  /** @param {string} method @param {object} [params] @returns {Promise<any>} */
  post(method, params) {
    return new Promise((resolve, reject) => {
      this.session.post(method, params, (/** @type {any} */ error, /** @type {any} */ result) => {
        if (error) reject(new Error(`${method}: ${error.message}`))
        else resolve(result)
      })
    })
  }

  close() {
    this.session.disconnect()
  }
}

/**
 * Pauses the main thread where it is, calls `look`, and has it go on. Undefined when it runs no JavaScript.
 * @template T
 * @param {MainThread} main
 * @param {(paused: any, files: Map<string, string>) => T} look
 */
async function whilePaused(main, look) {
  /** @type {Map<string, string>} */
  const files = new Map()
  main.session.on('Debugger.scriptParsed', (/** @type {any} */ { params: { scriptId, url } }) => {
    files.set(scriptId, url.startsWith('file:') ? fileURLToPath(url) : url)
  })
  const paused = new Promise((resolve) => main.session.once('Debugger.paused', resolve))
  main.session.post('Debugger.enable')
  main.session.post('Debugger.pause')
  const event = await Promise.race([paused, sleep(NO_SCRIPT, undefined, { ref: false })])
  if (event === undefined) return undefined
  try {
    return await look(event.params, files)
  } finally {
    main.session.post('Debugger.resume')
  }
}

/** The frames of the main thread, the innermost first. @returns {Promise<string>} */
async function readStack() {
  const main = new MainThread()
  try {
    const frames = await whilePaused(main, ({ callFrames }, files) =>
      callFrames.map((/** @type {any} */ { functionName, location }) => ({
        file: files.get(location.scriptId) ?? '<anonymous>',
        place: `${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`,
        name: functionName || '<anonymous>'
      }))
    )
    if (frames === undefined)
      throw new Error(`no JavaScript ran for ${NO_SCRIPT} ms: the main thread is in a native call`)
    // In an idle process that is the beat, or the timers that are about to call it.
    const idle = frames.every((/** @type {any} */ { file }) => file === BEAT || file === TIMERS)
    if (idle) return '    (idle: the event loop waits)'
    return frames.map((/** @type {any} */ { name, file, place }) => `    at ${name} (${file}:${place})`).join('\n')
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
    const silent = (microseconds() - region.get(place.seat, SEAT.beat)) / 1000 > NO_BEAT
    if (!silent || (await whilePaused(main, () => startAnew(main))) === undefined) await main.post('Profiler.start')
  } catch (error) {
    endProfile()
    throw error
  }
  return ''
}

/**
 * Of a loop that was optimised while it ran the profiler sees nothing. Coverage, begun in a pause, takes such
 * functions back to code that it knows.
 * @param {MainThread} main
 */
async function startAnew(main) {
  await main.post('Profiler.startPreciseCoverage', { callCount: false, detailed: false })
  await main.post('Profiler.start')
  return true
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

/** The main thread writes it, as it may be larger than all that this thread may have. */
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

/** An empty file that is this user's alone. @param {string} extension */
function freshFile(extension) {
  const file = path.join(os.tmpdir(), `rspool-${process.pid}-${Date.now()}.${extension}`)
  fs.closeSync(fs.openSync(file, 'wx', 0o600))
  return file
}
