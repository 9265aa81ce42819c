'use strict'

// What the specs share: pools that end with their test, gates that tasks wait at, and child processes.

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const rspool = require('../index.js')

const root = path.join(__dirname, '..')

/** @param {string} name */
function fixture(name) {
  return path.join(__dirname, 'fixtures', name)
}

/**
 * A pool that is destroyed after the test.
 * @param {import('ava').ExecutionContext} t
 * @param {any} [options]
 */
function makePool(t, options) {
  const pool = new rspool.Pool(options)
  t.teardown(() => pool.destroy())
  return pool
}

/** The pool of most specs: the tasks of fixtures/tasks.js, and a gate in `workerData`. */
function taskPool(t, options = {}) {
  const gate = new Gate()
  t.teardown(() => gate.open())
  const pool = makePool(t, { filename: fixture('tasks.js'), workerData: { gate: gate.cells }, ...options })
  return { pool, gate }
}

/** One whose tasks have it run others: those of fixtures/family.js. */
function familyPool(t, options = {}) {
  return taskPool(t, { filename: fixture('family.js'), maxThreads: 1, abortGrace: 1000, ...options })
}

/** Keeps the process while a test waits for what does not keep it: an idle pool does nothing of the kind. */
function stayAlive(t) {
  const timer = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(timer))
}

/** Until a number in shared memory has reached a count. */
async function reached(cells, index, count) {
  for (let there; (there = Atomics.load(cells, index)) < count; ) {
    const { async, value } = Atomics.waitAsync(cells, index, there, 20)
    if (async) await value
  }
}

/** A pool whose tasks, those of a fixture, leave marks that the test waits for. */
function markedPool(t, name, options = {}) {
  const marks = new Int32Array(new SharedArrayBuffer(16))
  // However busy the machine is, no worker is terminated for it.
  const usual = { filename: fixture(name), maxThreads: 2, workerData: { marks }, abortGrace: 60_000 }
  const marked = (cell, count = 1) => reached(marks, cell, count)
  return { pool: makePool(t, { ...usual, ...options }), marks, marked }
}

/** What an iterable gives, and how it ends. */
async function collect(iterable) {
  const values = []
  try {
    for await (const value of iterable) values.push(value)
  } catch (error) {
    return { values, error }
  }
  return { values }
}

/** Says how many of its inputs were taken, and whether it was closed. */
function watched(n, { async = false, throwAt = -1 } = {}) {
  const state = { pulled: 0, closed: 0 }
  // That is not waited for where the source owes an input.
  state.closing = new Promise((resolve) => (state.close = resolve))
  function* inputs() {
    try {
      for (let i = 0; i < n; i++) {
        if (i === throwAt) throw new RangeError('from the source')
        state.pulled++
        yield i
      }
    } finally {
      state.closed++
      state.close()
    }
  }
  state.inputs = async
    ? (async function* () {
        yield* inputs()
      })()
    : inputs()
  return state
}

const upTo = (n) => Array.from({ length: n }, (_, i) => i)

/** Tasks say here that they have begun, and wait here until the test lets them go on. */
class Gate {
  constructor() {
    /** How many have arrived; whether it is open. */
    this.cells = new Int32Array(new SharedArrayBuffer(8))
  }

  get arrived() {
    return Atomics.load(this.cells, 0)
  }

  /** Until `count` tasks have come to the gate. */
  async arrival(count = 1) {
    await reached(this.cells, 0, count)
  }

  open() {
    Atomics.store(this.cells, 1, 1)
    Atomics.notify(this.cells, 1)
  }
}

/**
 * How a promise fails, whatever it is that it fails with.
 * @param {Promise<unknown>} promise
 */
async function failure(promise) {
  let value
  try {
    value = await promise
  } catch (error) {
    return error
  }
  throw new Error(`the promise resolved, with ${String(value)}`)
}

/** The codes (or 'ok') of settled promises. @param {Promise<unknown>[]} promises */
async function outcomes(promises) {
  const settled = await Promise.allSettled(promises)
  return settled.map((each) => (each.status === 'fulfilled' ? 'ok' : (each.reason?.code ?? each.reason?.name)))
}

/** @param {readonly string[]} values */
function tally(values) {
  const counts = /** @type {Record<string, number>} */ ({})
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

/**
 * Runs a program in a process of its own. One that hangs is killed, and its `signal` says so.
 * @param {string[]} args of node
 * @param {import('node:child_process').ExecFileOptions} [options]
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>}
 */
function node(args, options = {}) {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { timeout: 110_000, killSignal: 'SIGKILL', cwd: root, ...options },
      (_, stdout, stderr) => resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr })
    )
  })
}

/**
 * Runs a program's source, in which `rspool` is the package and `fixture(name)` a fixture's path.
 * @param {string} source
 * @param {import('node:child_process').ExecFileOptions} [options]
 */
function program(source, options) {
  const before = `const rspool = require(${JSON.stringify(path.join(root, 'index.js'))})
const fixture = (name) => require('node:path').join(${JSON.stringify(path.join(__dirname, 'fixtures'))}, name)
`
  return node(['-e', before + source], options)
}

/**
 * A directory with these files, removed after the test.
 * @param {import('ava').ExecutionContext} t
 * @param {Record<string, string>} files
 */
function directory(t, files) {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-test-')))
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    fs.writeFileSync(path.join(dir, name), text)
  }
  return dir
}

/**
 * `test` where this package is installed, else `test.skip`: not every package that rspool works with has a
 * build for every platform, and a development dependency must.
 * @param {any} test
 * @param {string} name
 */
function whereInstalled(test, name) {
  return fs.existsSync(path.join(root, 'node_modules', name)) ? test : test.skip
}

module.exports = {
  stayAlive,
  whereInstalled,
  root,
  rspool,
  fixture,
  makePool,
  taskPool,
  familyPool,
  markedPool,
  collect,
  upTo,
  watched,
  Gate,
  failure,
  outcomes,
  tally,
  node,
  program,
  directory
}
