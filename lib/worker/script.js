'use strict'

// Finds the function of a target in this isolate: an export of a script, or an inline function, each
// looked up once. An isolate loads the code for a way to call only when it is called in that way.

const { workerData, parentPort } = require('node:worker_threads')
const { bound } = require('../native/environment')
const { UnknownTaskError, WorkerStartError } = require('../errors')
const { didYouMean } = require('../pool/options/validate')
const { Bounded } = require('../pool/task/bounded')
const { TARGET } = require('../native/wire')
const { importScript } = require('./import')

/**
 * A function of the user, with unknown types.
 * @typedef {(...args: unknown[]) => unknown} Callable
 */
/** @typedef {(input: unknown) => unknown} Run */
/** The exports of a script: a namespace or a similar object. @typedef {Record<string, unknown>} Exports */

/** The function that the pool's `run` calls. @type {Run | undefined} */
let own
/** Functions by the number of their target. @type {Bounded<number, Run>} */
const found = new Bounded()
/** @type {Map<string, Promise<Script>>} */
const scripts = new Map()

/**
 * @typedef {object} Script
 * @property {string} filename
 * @property {unknown} main the default export
 * @property {Exports} exports
 */

/**
 * @param {string} filename a URL
 * @returns {Promise<Script>}
 */
function load(filename) {
  let script = scripts.get(filename)
  if (script === undefined) {
    scripts.set(filename, (script = read(filename)))
    // The file may have been corrected by the next time.
    script.catch(() => scripts.delete(filename))
  }
  return script
}

/** @param {string} filename */
async function read(filename) {
  const exports = /** @type {Exports} */ (await importScript(filename))
  // A CommonJS module compiled from an ES module has its default export one level down.
  const outer = exports.default
  const main = outer !== null && typeof outer === 'object' && 'default' in outer ? outer.default : outer
  // The export may be a promise of the function, for asynchronous initialization.
  const script = { filename, main: await main, exports }
  await hook(script, 'setup')?.(workerData)
  return script
}

/**
 * @param {unknown} object
 * @param {string} name
 */
function ownOf(object, name) {
  return object !== null && (typeof object === 'object' || typeof object === 'function') && Object.hasOwn(object, name)
    ? /** @type {Exports} */ (object)[name]
    : undefined
}

/**
 * A function that the pool itself calls.
 * @param {Script} script
 * @param {'setup' | 'teardown'} name
 */
function hook({ exports }, name) {
  return /** @type {Callable | undefined} */ (exports[name] ?? ownOf(exports.default, name))
}

/** Runs the `teardown` of every loaded script. */
async function teardown() {
  for (const loading of scripts.values()) {
    const script = await loading.catch(() => undefined)
    if (script !== undefined) await hook(script, 'teardown')?.()
  }
}

/**
 * The names of a script's functions.
 * @param {Script} script
 */
function functionsOf({ exports }) {
  const names = new Set()
  for (const object of [exports, exports.default]) {
    if (object === null || (typeof object !== 'object' && typeof object !== 'function')) continue
    for (const name of Object.keys(object)) if (typeof ownOf(object, name) === 'function') names.add(name)
  }
  for (const name of ['default', 'setup', 'teardown']) names.delete(name)
  return [...names]
}

/**
 * Whether the script only listens to its parent, as for bare worker_threads.
 * @param {Script} script
 */
function isBare(script) {
  return (
    typeof script.main !== 'function' &&
    functionsOf(script).length === 0 &&
    parentPort !== null &&
    parentPort.listenerCount('message') > 0
  )
}

/**
 * @param {number} id
 * @returns {Run | undefined} undefined if it has to be looked up
 */
function known(id) {
  return id === TARGET.OWN ? own : found.get(id)
}

/**
 * @param {number} id
 * @returns {Promise<Run>}
 */
async function lookUp(id) {
  const text = bound.target(id)
  const [filename, name, source, base, how, carries] = JSON.parse(text)
  const isInline = source !== undefined && source !== null
  let run = isInline ? require('./inline').compile(source, base) : await exported(filename, name ?? undefined)
  // Each wrapper takes the input in the form that the owner has made for it.
  if (how === 'batch') run = /** @type {Run} */ (require('./batch').forEach(run))
  else if (how === 'stream') run = /** @type {Run} */ (require('./stream').pouring(run))
  else if (how === 'channel') run = /** @type {Run} */ (require('./channel').withPort(run))
  if (carries) run = /** @type {Run} */ (require('./stores').within(run))
  if (id === TARGET.OWN) own = run
  // Another task may have looked it up meanwhile.
  else if (found.get(id) === undefined) found.add(id, run, text.length)
  return run
}

/**
 * @param {string} filename
 * @param {string | undefined} name
 * @returns {Promise<Run>}
 */
async function exported(filename, name) {
  let script
  try {
    script = await load(filename)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new WorkerStartError(`The script ${filename} could not be loaded: ${reason}`, { cause: error })
  }
  const value = name === undefined ? script.main : await (script.exports[name] ?? ownOf(script.exports.default, name))
  if (typeof value === 'function') return /** @type {Run} */ (value)
  if (name === undefined && isBare(script)) {
    const { listen, run } = require('./bare')
    listen()
    return run
  }
  const names = functionsOf(script)
  const there = names.length === 0 ? 'it exports no function' : `it exports ${names.join(', ')}`
  throw new UnknownTaskError(
    name === undefined
      ? `${filename} has no default export that is a function; ${there}. Name one, as in pool.run(input, { name: '${names[0] ?? 'task'}' })`
      : `${filename} exports no function '${name}'; ${there}.${didYouMean(name, names)}`
  )
}

module.exports = { load, known, lookUp, teardown }
