'use strict'

// Worker machines: processes of their own, which can be killed.

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')

/**
 * @param {{ name: string, connection: string, options?: object, pool?: object, tasks?: string[] }} settings
 * @returns {Promise<import('node:child_process').ChildProcess>}
 */
async function startMachine(settings) {
  const child = fork(path.join(__dirname, 'worker.js'), [JSON.stringify(settings)])
  const [said] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => ['ended'])])
  if (said !== 'ready') throw new Error('The machine ended before it was ready')
  return child
}

/** @param {import('node:child_process').ChildProcess} child @param {NodeJS.Signals} signal */
async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

/**
 * When each start of a task began and was last at work, by its process.
 * @param {string} text what `hold` has written down
 */
function spans(text) {
  /** @type {Map<string, { from: number, to: number }>} */
  const found = new Map()
  for (const line of text.trim().split('\n')) {
    const [, time, pid] = line.split(' ')
    const span = found.get(pid) ?? { from: Number(time), to: Number(time) }
    span.to = Number(time)
    found.set(pid, span)
  }
  return [...found.values()].sort((a, b) => a.from - b.from)
}

module.exports = { startMachine, end, spans }
