'use strict'

// Runs one case in a process of its own, and says how the process ended.

const { spawn } = require('node:child_process')
const path = require('node:path')

const ENTRY = path.join(__dirname, 'entry.js')

/**
 * @typedef {object} Ended
 * @property {number | null} code
 * @property {string | null} signal
 * @property {string} stdout
 * @property {string} stderr
 * @property {boolean} hung whether it was killed because its time was over
 */

/**
 * @param {string} node
 * @param {string[]} args
 * @param {number} limit milliseconds
 * @returns {Promise<Ended>}
 */
function runNode(node, args, limit) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, RSPOOL_TEST_TASKS: '1', RUST_BACKTRACE: '0' }
    const child = spawn(node, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = { stdout: '', stderr: '', hung: false }
    const timer = setTimeout(() => {
      ended.hung = true
      child.kill('SIGKILL')
    }, limit)
    child.stdout.on('data', (chunk) => (ended.stdout += chunk))
    child.stderr.on('data', (chunk) => (ended.stderr += chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ ...ended, code, signal })
    })
  })
}

/** Removes the messages of panics that the tests cause on purpose. @param {string} stderr */
function withoutPanics(stderr) {
  return stderr.replace(
    /\nthread 'rspool[^\n]* panicked at [^\n]*\nasked to, with[^\n]*\n(note: run with[^\n]*\n)?/g,
    ''
  )
}

/**
 * @param {string} node
 * @param {string} name
 * @param {{ rounds?: number, tasks?: number, seed: number }} given
 */
async function runCase(node, name, { rounds, tasks, seed }) {
  const { limit, times } = require(`../cases/${name}`)
  const count = (times.tasks === undefined ? rounds : tasks) ?? times.tasks ?? times.rounds
  const start = performance.now()
  const args = ['--expose-gc', ENTRY, name, String(count), String(seed)]
  const { code, signal, stdout, stderr, hung } = await runNode(node, args, limit)
  const [version, ...notes] = stdout.trimEnd().split('\n')
  const ok = code === 0 && notes.length > 0
  const why = hung
    ? `hung for ${limit / 1000} s`
    : signal !== null
      ? `ended by ${signal}`
      : `ended with exit code ${code}`
  return {
    version,
    name,
    times: `${count.toLocaleString('en-US')} ${times.tasks === undefined ? 'rounds' : 'tasks'}`,
    ok,
    seconds: ((performance.now() - start) / 1000).toFixed(1),
    note: ok ? notes.join('; ') : `${why}\n${withoutPanics(stderr)}${notes.join('\n')}`.trimEnd()
  }
}

/** @param {string[][]} lines */
function align(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  return lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd()
  )
}

module.exports = { runNode, runCase, align }
