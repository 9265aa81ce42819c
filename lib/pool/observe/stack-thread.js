'use strict'

// A thread that reads the JavaScript stacks of other threads, whatever they do. The inspector of the main thread passes
// commands on to the inspectors of the threads, which interrupt the running code. No thread is stopped (see
// by-throw.js).

const { Session } = require('node:inspector')
const { setTimeout: delay } = require('node:timers/promises')
const { parentPort } = require('node:worker_threads')
const { COMMANDS, TELLS, stackIn } = require('./by-throw')

/**
 * The part of the inspector's protocol for threads, for which Node.js has no types.
 * @typedef {object} Threads
 * @property {() => void} connectToMainThread
 * @property {() => void} disconnect
 * @property {(method: string, params: object, done?: () => void) => void} post
 * @property {Listens} on
 */
/**
 * @typedef {object} Told
 * @property {string} sessionId
 * @property {{ title: string }} workerInfo of a thread that was attached
 * @property {string} message of a thread that has answered
 */
/** @typedef {(event: `NodeWorker.${'attachedToWorker' | 'detachedFromWorker' | 'receivedMessageFromWorker'}`, listener: (event: { params: Told }) => void) => void} Listens */

/**
 * The stacks of threads by their ids: empty for a thread that runs nothing, null for a thread that did not answer.
 * @param {number[]} threads
 * @param {number} patience milliseconds: a thread in a system call does not answer
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
  const main = /** @type {Threads} */ (/** @type {unknown} */ (new Session()))
  main.connectToMainThread()
  main.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
    const thread = Number(/^\[worker (\d+)\]/.exec(workerInfo.title)?.[1])
    if (!stacks.has(thread)) return
    awaited.set(sessionId, thread)
    for (const [id, command] of COMMANDS.entries())
      main.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, ...command }) })
  })
  main.on('NodeWorker.detachedFromWorker', ({ params: { sessionId } }) => left(sessionId))
  main.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId, message } }) => {
    const { id, result } = JSON.parse(message)
    const stack = id === TELLS ? stackIn(result) : undefined
    if (stack !== undefined) stacks.set(awaited.get(sessionId) ?? -1, stack)
    else if (id === COMMANDS.length - 1) left(sessionId)
  })
  /** @param {string} sessionId */
  function left(sessionId) {
    if (awaited.delete(sessionId) && awaited.size === 0 && enabled) complete()
  }
  let enabled = false
  // When this is called, all existing threads have been attached.
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
