'use strict'

// Asks the helper thread of a process for something of its main thread. The helper answers even if the main thread or
// the primary is blocked.

const fs = require('node:fs')
const { setTimeout: sleep } = require('node:timers/promises')
const native = require('../native/load')
const { CommandError, EXIT } = require('./failure')
const { openForRequests } = require('./clusters')
const { SEAT } = require('../native/wire')

const LOOK_EVERY = 10
/** An asking process takes its answer within this time, in milliseconds, unless it has died. */
const TAKES = 500

/**
 * The process of a slot, if it can be asked.
 * @param {import('./view').Viewer} viewer
 * @param {number} slot
 */
function processOf(viewer, slot) {
  const view = viewer.look()
  const found = view.processes.find((each) => each.slot === slot)
  if (found === undefined) {
    const known = view.processes.map(({ slot }) => slot).join(', ')
    throw new CommandError(EXIT.none, `there is no slot ${slot}${known === '' ? '' : ` (there are: ${known})`}`)
  }
  if (found.pid === undefined || found.seat === undefined)
    throw new CommandError(EXIT.none, `slot ${slot} has no process: it is ${found.state}. ${found.lastCause}`.trim())
  return { ...found, pid: found.pid, seat: found.seat }
}

/**
 * @param {import('./clusters').Cluster} cluster
 * @param {{ pid: number, seat: number }} process
 * @param {{ kind: number, argument?: number, timeout: number }} request `timeout` in milliseconds
 * @returns {Promise<string>}
 */
async function ask(cluster, { pid, seat }, { kind, argument = 0, timeout }) {
  const region = openForRequests(cluster)
  const start = performance.now()
  /** The answer for another asker that lies there, and since when. @type {{ number: number, at: number }|undefined} */
  let lying
  let number
  while (performance.now() - start < timeout) {
    number ??= region.native.ask(seat, kind, argument) ?? undefined
    if (number === undefined) {
      // Another program is asking, or has asked and died.
      const last = region.get(seat, SEAT.ANSWERED)
      if (lying?.number !== last) lying = { number: last, at: performance.now() }
      else if (performance.now() - lying.at > TAKES && region.native.dropAnswer(seat)) lying = undefined
    }
    const answer = number === undefined ? undefined : region.native.takeAnswer(seat, number)
    if (answer) {
      if (answer.ok) return answer.text
      throw new CommandError(EXIT.failed, answer.text)
    }
    const usage = native.readUsage(pid)
    if (!usage || usage.state === 'Z') throw new CommandError(EXIT.failed, `process ${pid} has ended`)
    if (usage.state === 'T' || usage.state === 't')
      throw new CommandError(EXIT.failed, `process ${pid} is stopped; continue it: kill -CONT ${pid}`)
    await sleep(LOOK_EVERY)
  }
  throw new CommandError(
    EXIT.failed,
    number === undefined
      ? `process ${pid} is answering an earlier request`
      : `process ${pid} did not answer: it still boots, or runs without its helper thread (stallStack: false)`
  )
}

/**
 * Moves a file that a process wrote, even in a container, to the place that the user wants.
 * @param {number} pid
 * @param {string} from the path as the process sees it
 * @param {string} to
 */
function fetchFile(pid, from, to) {
  const source = `/proc/${pid}/root${from}`
  try {
    fs.renameSync(source, to)
  } catch {
    fs.copyFileSync(source, to, fs.constants.COPYFILE_EXCL)
    fs.rmSync(source, { force: true })
  }
  fs.chmodSync(to, 0o600)
}

module.exports = { processOf, ask, fetchFile }
