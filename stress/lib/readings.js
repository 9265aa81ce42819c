'use strict'

// The threads, files and handles of a process, as the operating system and Node.js see them.

const fs = require('node:fs')

const linux = process.platform === 'linux'

function sleep(/** @type {number} */ ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function read() {
  return {
    threads: linux ? fs.readdirSync('/proc/self/task').length : 0,
    // One of these descriptors belongs to this very reading.
    files: linux ? fs.readdirSync('/proc/self/fd').length : 0,
    handles: process.getActiveResourcesInfo().filter((name) => name !== 'Timeout' && name !== 'Immediate').length
  }
}

/**
 * Waits until no figure is higher than before: threads end a little later than the pools or workers that had them.
 * @param {ReturnType<typeof read>} before
 */
async function backTo(before) {
  let now = read()
  for (let i = 0; i < 200; i++) {
    now = read()
    const kept = Object.entries(now).filter(([name, value]) => value > before[/** @type {'threads'} */ (name)])
    if (kept.length === 0) return
    await sleep(25)
  }
  throw new Error(`Left behind: ${JSON.stringify(now)}, before: ${JSON.stringify(before)}; threads: ${threadNames()}`)
}

function threadNames() {
  const name = (/** @type {string} */ id) => {
    try {
      return fs.readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()
    } catch {
      return '(ended)'
    }
  }
  return linux ? fs.readdirSync('/proc/self/task').map(name).join(', ') : 'unknown'
}

async function settledRss() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await sleep(25)
  }
  return process.memoryUsage.rss()
}

module.exports = { read, backTo, settledRss, sleep }
