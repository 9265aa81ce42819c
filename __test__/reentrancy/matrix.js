'use strict'

// The re-entrancy matrix: each place at which user code can run while the package works, times what it does
// there, times the lane. Every call in flight gets its own result or its own error, and the pool ends. A part
// runs in a process of its own, since it hooks, patches and ends what a test process needs.

const path = require('node:path')
const { node } = require('../helpers')

const child = path.join(__dirname, 'child.js')
const env = { ...process.env, RSPOOL_TEST_TASKS: '1', NODE_NO_WARNINGS: '1' }

/** For a whole part, on a machine with much else to do. */
const LIMIT = 300_000

/** @typedef {{ n: number, of: number, cell: string, problems: string[] }} Told */

/**
 * The cells of a part that went wrong, by name. After one that hangs, a new process goes on behind it.
 * @param {string} part
 */
async function play(part) {
  const wrong = /** @type {Record<string, string[]>} */ ({})
  for (let from = 0, of = 1; from < of; ) {
    const { stdout, stderr, code, signal } = await node([child, part, String(from)], {
      env,
      timeout: LIMIT - 10_000,
      maxBuffer: 2 ** 26
    })
    const told = /** @type {Told[]} */ (
      stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    )
    for (const { cell, problems } of told) if (problems.length > 0) wrong[cell] = problems
    const last = told.at(-1)
    const healthy = code === 0 || code === 1 || code === 9
    if (!healthy || last === undefined) {
      wrong[`after cell ${last?.n ?? from - 1}`] = [`the process ended with ${code ?? signal}: ${stderr.slice(-2000)}`]
    }
    if (last === undefined) break
    of = last.of
    from = last.n + 1
  }
  return wrong
}

/**
 * The places at which `process.exit(7)` is not what ends the process.
 * @param {string[]} names of places
 * @param {string} part
 */
async function exits(part, names) {
  const wrong = /** @type {Record<string, string>} */ ({})
  const left = [...names]
  const worker = async () => {
    for (let name; (name = left.pop()) !== undefined; ) {
      const { code, signal, stderr } = await node([child, part, 'exit', name], { env, timeout: 30_000 })
      if (code !== 7 || stderr !== '') wrong[name] = `${code ?? signal} ${stderr}`.trim()
    }
  }
  await Promise.all([worker(), worker()])
  return wrong
}

module.exports = { LIMIT, play, exits }
