'use strict'

// A job is given back only when nothing runs for it any more: until then two machines could be at work on it.

const { performance } = require('node:perf_hooks')

const { setTimeout } = globalThis

/** Milliseconds between two looks. */
const LOOK = 10
/** Milliseconds for a script that nothing ends, and for the end of an isolate. */
const MOST = 10_000
const END = 200

/**
 * Resolves when what was aborted in a pool has ended: by itself, or after `abortGrace` with its isolate.
 * @param {import('./types').Pool} pool
 */
async function quiet(pool) {
  const end = performance.now() + Math.min(pool.options.abortGrace, MOST) + END
  while (pool.stats().running > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, LOOK))
}

module.exports = { quiet }
