'use strict'

// A thread that reads the JavaScript stacks of others, whatever they do: the inspector of the main thread passes
// on what is meant for theirs, which interrupt what runs.
//
// None is stopped. A thread is asked to evaluate an expression that throws: this runs on top of what it does, so
// the trace of that exception has its stack. A debugger of the user's does not see it, and nothing is left behind
// in a thread that answers late.

const { Session } = require('node:inspector')
const { setTimeout: delay } = require('node:timers/promises')
const { fileURLToPath } = require('node:url')
const { parentPort } = require('node:worker_threads')

const OWN = 'rspool:stack'

/** @typedef {{ functionName: string, url: string, lineNumber: number, columnNumber: number }} Frame */
/** @typedef {{ id: number, method: string, params?: object }} Command */

/** In this order: traces are kept for exceptions while the runtime tells of them. @type {Command[]} */
const COMMANDS = [
  { id: 1, method: 'Runtime.enable' },
  { id: 2, method: 'Runtime.evaluate', params: { expression: `throw 0\n//# sourceURL=${OWN}`, silent: true } },
  { id: 3, method: 'Runtime.disable' }
]

/** @param {Frame} frame */
function line({ functionName, url, lineNumber, columnNumber }) {
  const file = url.startsWith('file:') ? fileURLToPath(url) : url
  return `    at ${functionName || '<anonymous>'} (${file}:${lineNumber + 1}:${columnNumber + 1})`
}

/** @param {Frame[]} frames */
function stackOf(frames) {
  return frames
    .filter(({ url }) => url !== OWN)
    .map(line)
    .join('\n')
}

/**
 * The stacks of threads by their ids, empty for one that runs nothing, and null for one that did not answer.
 * @param {number[]} threads
 * @param {number} patience milliseconds: what is in a call of the system does not answer
 * @returns {Promise<Map<number, string | null>>}
 */
async function read(threads, patience) {
  /** @type {Map<number, string | null>} */
  const stacks = new Map(threads.map((thread) => [thread, null]))
  /** The threads whose answers are awaited, by their sessions. @type {Map<string, number>} */
  const awaited = new Map()
  let complete = () => {}
  const all = new Promise((resolve) => {
    complete = () => resolve(undefined)
  })
  const main = /** @type {any} */ (new Session())
  main.connectToMainThread()
  main.on('NodeWorker.attachedToWorker', (/** @type {any} */ { params: { sessionId, workerInfo } }) => {
    const thread = Number(/^\[worker (\d+)\]/.exec(workerInfo.title)?.[1])
    if (!stacks.has(thread)) return
    awaited.set(sessionId, thread)
    for (const command of COMMANDS)
      main.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify(command) })
  })
  main.on('NodeWorker.detachedFromWorker', (/** @type {any} */ { params: { sessionId } }) => left(sessionId))
  main.on('NodeWorker.receivedMessageFromWorker', (/** @type {any} */ { params: { sessionId, message } }) => {
    const { id, result } = JSON.parse(message)
    const frames = result?.exceptionDetails?.stackTrace?.callFrames
    if (id === 2 && frames !== undefined) stacks.set(awaited.get(sessionId) ?? -1, stackOf(frames))
    else if (id === 3) left(sessionId)
  })
  /** @param {string} sessionId */
  function left(sessionId) {
    if (awaited.delete(sessionId) && awaited.size === 0 && enabled) complete()
  }
  let enabled = false
  // By the time that it is enabled all that there are have been attached.
  main.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, () => {
    enabled = true
    if (awaited.size === 0) complete()
  })
  await Promise.race([all, delay(patience)])
  main.disconnect()
  return stacks
}

parentPort?.on('message', async ({ id, threads, patience }) => {
  parentPort?.postMessage({ id, stacks: await read(threads, patience) })
})
