'use strict'

// A job is given back only when nothing runs for it any more. Otherwise two machines could work on it at once.

const { performance } = require('node:perf_hooks')

const { setTimeout } = globalThis

/** Milliseconds between two checks. */
const LOOK = 10
/** The most milliseconds of `abortGrace` to wait for, and the milliseconds that an isolate then has to end. */
const MOST = 10_000
const END = 200

/**
 * Resolves when the aborted tasks of a pool have ended: by themselves, or after `abortGrace` with their isolates.
 * @param {import('./types').Pool} pool
 */
async function quiet(pool) {
  const end = performance.now() + Math.min(pool.options.abortGrace, MOST) + END
  while (pool.stats().running > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, LOOK))
}

module.exports = { quiet }
