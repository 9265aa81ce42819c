'use strict'

// What a task is: a native task by name, an export of a script, or an inline function. Each has a
// number that both ends know.

const path = require('node:path')
const { fileURLToPath, pathToFileURL } = require('node:url')
const { native, bound } = require('../../native/environment')
const { LANE } = require('../../native/wire')
const { UnknownTaskError, invalidArgument } = require('../../errors')
const { nearest, show } = require('../options/validate')

const { NATIVE, SCRIPT } = LANE

/**
 * @typedef {object} Target
 * @property {number} lane
 * @property {number} id
 * @property {boolean} spread whether an array as input is the list of arguments
 */

/** @type {Map<string, Target>} */
const nativeTargets = new Map(bound.taskNames().map((name, id) => [name, { lane: NATIVE, id, spread: false }]))
/** @type {WeakMap<Function, Target>} */
const inlineTargets = new WeakMap()

/**
 * @param {string} name
 * @returns {Target}
 */
function nativeTarget(name) {
  const target = nativeTargets.get(name)
  if (target !== undefined) return target
  const near = bound.suggestTask(name) || nearest(name, nativeTargets.keys())
  throw new UnknownTaskError(
    `There is no native task '${name}'. ` +
      (near
        ? `Did you mean '${near}'?`
        : `A name with a dot is a native task; there are: ${[...nativeTargets.keys()].join(', ')}.`)
  )
}

/**
 * @param {string} filename an URL
 * @param {string | undefined} name undefined for the default export
 * @returns {Target}
 */
function scriptTarget(filename, name) {
  return { lane: SCRIPT, id: native.internTarget(JSON.stringify([filename, name])), spread: false }
}

/**
 * @param {Function} fn
 * @returns {Target}
 */
function inlineTarget(fn) {
  let target = inlineTargets.get(fn)
  if (target === undefined) {
    const source = Function.prototype.toString.call(fn)
    if (/\{\s*\[native code\]\s*\}$/.test(source)) {
      throw invalidArgument('An inline function must be written in JavaScript; this one is native or bound')
    }
    if (/^class\b/.test(source)) throw invalidArgument('An inline function must not be a class')
    // Only what it loads depends on where it was written.
    const base = /\b(import|require)\b/.test(source) ? callerUrl() : undefined
    const what = [null, null, callable(source), base]
    target = { lane: SCRIPT, id: native.internTarget(JSON.stringify(what)), spread: true }
    inlineTargets.set(fn, target)
  }
  return target
}

/** The targets that were made of others, by the numbers of those. @type {Record<string, Map<number, Target>>} */
const variants = { batch: new Map(), stream: new Map(), channel: new Map(), carrying: new Map() }

/**
 * The same function, called in another way: for several inputs at once (`batch`), with what it yields sent
 * (`stream`), with a port beside its input (`channel`), or with `[context, input]` as its input (`carrying`),
 * which goes with the others.
 * @param {Target} target
 * @param {'batch' | 'stream' | 'channel' | 'carrying'} how
 * @returns {Target}
 */
function variantOf(target, how) {
  const made = variants[how]
  let variant = made.get(target.id)
  if (variant === undefined) {
    const [filename, name, source, base, way = null] = JSON.parse(native.target(target.id))
    const as = how === 'carrying' ? [way, true] : [how]
    const id = native.internTarget(JSON.stringify([filename, name, source, base, ...as]))
    made.set(target.id, (variant = { ...target, id }))
  }
  return variant
}

/**
 * The source as an expression: a method's `name () {}` is taken out of an object.
 * @param {string} source
 */
function callable(source) {
  for (const candidate of [source, `Object.values({ ${source} })[0]`]) {
    try {
      new Function(`return (${candidate}\n)`)
      return candidate
    } catch {}
  }
  // A private method, or code that must not be compiled here: the worker says why.
  return source
}

/** Where the files of rspool are. */
const OWN = path.join(__dirname, '..', '..')

/** The file that called rspool, as an URL; one in the working directory if no file did. */
function callerUrl() {
  const { prepareStackTrace, stackTraceLimit } = Error
  /** @type {NodeJS.CallSite[]} */
  let sites = []
  try {
    Error.stackTraceLimit = 50
    Error.prepareStackTrace = (_, structured) => (sites = structured)
    // Made by looking at it.
    void new Error().stack
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit })
  }
  for (const site of sites) {
    const file = site.getFileName()
    if (!file || file.startsWith(OWN)) continue
    if (file.startsWith('file:')) return file
    if (path.isAbsolute(file)) return pathToFileURL(file).href
  }
  return pathToFileURL(path.resolve('[inline]')).href
}

/**
 * A script's place as an URL: an absolute path, a path relative to the working directory, an URL.
 * @param {unknown} filename
 * @param {string} label
 */
function scriptUrl(filename, label) {
  if (
    filename instanceof URL ||
    (typeof filename === 'object' && filename !== null && typeof (/** @type {any} */ (filename).href) === 'string')
  ) {
    const { protocol, href } = /** @type {URL} */ (filename)
    if (protocol === 'file:' || protocol === 'data:') return href
  } else if (typeof filename === 'string' && filename !== '') {
    if (filename.startsWith('file:')) {
      fileURLToPath(filename)
      return filename
    }
    if (filename.startsWith('data:')) return filename
    if (!filename.includes('\0')) return pathToFileURL(path.resolve(filename)).href
  }
  throw invalidArgument(`${label} must be a path, a file: URL or a data: URL, got ${show(filename)}`)
}

module.exports = {
  NATIVE,
  SCRIPT,
  nativeTarget,
  scriptTarget,
  inlineTarget,
  variantOf,
  scriptUrl
}
