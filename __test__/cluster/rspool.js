'use strict'

// Runs the command line as a user does: a program of its own, whose output is no terminal.

const path = require('node:path')
const { execFile, spawn } = require('node:child_process')

const MAIN = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js')

/**
 * Resolves with { code, out, err }.
 * @param {(string|number)[]} args
 * @param {{ cwd?: string, env?: object, uid?: number }} [how]
 */
function rspool(args, { cwd, env, uid } = {}) {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env }, uid, gid: uid, timeout: 60_000, maxBuffer: 1 << 26 }
    execFile(process.execPath, [MAIN, ...args.map(String)], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : error.code, out, err })
    })
  })
}

/** What `--json` printed, of a command that must succeed. */
async function rspoolJson(args, how) {
  const { code, out, err } = await rspool([...args, '--json'], how)
  if (code !== 0) throw new Error(`rspool ${args.join(' ')} ended with ${code}: ${err}`)
  return JSON.parse(out)
}

/** Starts a command that goes on; the test kills what is left of it. */
function startRspool(t, args, { env, cwd } = {}) {
  const child = spawn(process.execPath, [MAIN, ...args.map(String)], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const started = { child, out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    started.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    started.err += text
  })
  started.ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })))
  t.teardown(() => child.kill('SIGKILL'))
  return started
}

module.exports = { rspool, rspoolJson, startRspool, MAIN }
