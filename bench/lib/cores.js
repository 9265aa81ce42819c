'use strict'

// Chooses the cores on which the threads of this process run. On a busy machine the kernel may keep a pool's worker and
// the main thread on one core, where they can only take turns. On cores of their own, as on a quiet machine, both run.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')

/** Whether `withMainApart` can be used here. */
function canPlaceThreads() {
  if (process.platform !== 'linux' || os.availableParallelism() < 2) return false
  try {
    execFileSync('taskset', ['-pc', String(process.pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** @param {number} thread @returns {string} a list as taskset takes it */
function coresOf(thread) {
  return (
    execFileSync('taskset', ['-pc', String(thread)], { encoding: 'utf8' })
      .trim()
      .split(' ')
      .at(-1) ?? ''
  )
}

/**
 * Runs `use` with the main thread on the first core of the process, and all other threads on the other cores.
 * @template T
 * @param {() => Promise<T>} use
 */
async function withMainApart(use) {
  const before = coresOf(process.pid)
  const [first, ...others] = before.split(',').flatMap((range) => {
    const [from, to = from] = range.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  })
  const place = (/** @type {(thread: number) => string} */ choose) => {
    for (const thread of fs.readdirSync('/proc/self/task').map(Number)) {
      execFileSync('taskset', ['-pc', choose(thread), String(thread)], { stdio: 'ignore' })
    }
  }
  place((thread) => (thread === process.pid ? String(first) : others.join(',')))
  try {
    return await use()
  } finally {
    place(() => before)
  }
}

module.exports = { canPlaceThreads, withMainApart }
