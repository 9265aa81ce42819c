'use strict'

// The targets of tasks: a native task by name, an export of a script, or an inline function. A target is a description
// only, and belongs to no pool: the numbers that a pool gives targets are in numbers.js.

const path = require('node:path')
const { fileURLToPath, pathToFileURL } = require('node:url')
const { bound } = require('../../native/environment')
const { LANE } = require('../../native/wire')
const { UnknownTaskError, invalidArgument } = require('../../errors')
const { jsonOf } = require('../../payload/json')
const { nearest, show } = require('../options/validate')
const { allNames, numberOf } = require('./native-targets')

const { NATIVE, SCRIPT } = LANE

class Target {
  // A property that somebody adds to Object.prototype must not appear as a field.
  static {
    Object.setPrototypeOf(this.prototype, null)
  }

  /**
   * @param {number} lane
   * @param {number} id of a native task; -1
   * @param {string} text the function that an isolate looks up: `[filename, name, source, base, way, carries]` as JSON
   */
  constructor(lane, id, text) {
    this.lane = lane
    this.id = id
    this.text = text
    /** The same function, called in other ways. @type {Map<Way, Target> | undefined} */
    this.variants = undefined
    /** Its name, for people. @type {import('../observe/describe-target').Described | undefined} */
    this.described = undefined
  }
}

/** @param {string} text */
function scriptTargetOf(text) {
  return new Target(SCRIPT, -1, text)
}

/** @param {number} id */
function nativeTargetOf(id) {
  return new Target(NATIVE, id, '')
}

/** @type {Map<string, Target>} */
const nativeTargets = new Map()
/** @type {WeakMap<Function, Target>} */
const inlineTargets = new WeakMap()

const LIKE_A_FILE = /[\\/]|\.([cm]?[jt]s|tsx)$/
const OTHER_SCHEME = /^(?!file:|data:)[a-z][a-z0-9+.-]+:\/\//i

/**
 * @param {string} name
 * @returns {Target}
 */
function nativeTarget(name) {
  const known = nativeTargets.get(name)
  if (known !== undefined) return known
  const id = numberOf(name)
  if (id !== undefined) {
    const target = nativeTargetOf(id)
    nativeTargets.set(name, target)
    return target
  }
  if (LIKE_A_FILE.test(name))
    throw new UnknownTaskError(
      `There is no native task '${name}'. To run a script, name it as a file, as in runTask({ filename: '${name}' }, input)`
    )
  const near = bound.suggestTask(name) || nearest(name, allNames())
  throw new UnknownTaskError(
    `There is no native task '${name}'. ` +
      (near ? `Did you mean '${near}'?` : `A name with a dot is a native task; there are: ${allNames().join(', ')}.`)
  )
}

/**
 * @param {string} filename a URL
 * @param {string | undefined} name undefined for the default export
 * @returns {Target}
 */
function scriptTarget(filename, name) {
  return scriptTargetOf(jsonOf([filename, name]))
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
    // The file of a function matters only if the function loads something. Build tools may replace the keywords, and
    // call helpers of tslib.
    const base = /import|require|tslib|\b__(?!name\b)/.test(source) ? callerUrl() : undefined
    target = scriptTargetOf(jsonOf([null, null, source, base]))
    inlineTargets.set(fn, target)
  }
  return target
}

/** @typedef {'batch' | 'stream' | 'channel' | 'carrying'} Way */

/**
 * The same function, called in another way: for several inputs at once (`batch`), with its items sent (`stream`), with
 * a port beside its input (`channel`), or with `[context, input]` as its input (`carrying`), which can be combined with
 * the others.
 * @param {Target} target
 * @param {Way} how
 * @returns {Target}
 */
function variantOf(target, how) {
  target.variants ??= new Map()
  let variant = target.variants.get(how)
  if (variant === undefined) {
    const [filename, name, source, base, way = null] = JSON.parse(target.text)
    const as = how === 'carrying' ? [way, true] : [how]
    variant = scriptTargetOf(jsonOf([filename, name, source, base, ...as]))
    target.variants.set(how, variant)
  }
  return variant
}

/** Where the files of rspool are. */
const OWN = path.join(__dirname, '..', '..')

/** The file that called rspool, as a URL; if no file did, one in the working directory. */
function callerUrl() {
  const { prepareStackTrace, stackTraceLimit } = Error
  /** @type {NodeJS.CallSite[]} */
  let sites = []
  try {
    Error.stackTraceLimit = 50
    Error.prepareStackTrace = (_, structured) => (sites = structured)
    // Reading the stack makes the sites.
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
 * The URL of a script that is given by an absolute path, a path relative to the working directory, or a URL.
 * @param {unknown} filename
 * @param {string} label
 */
function scriptUrl(filename, label) {
  if (
    filename instanceof URL ||
    (typeof filename === 'object' &&
      filename !== null &&
      typeof (/** @type {{ href?: unknown }} */ (filename).href) === 'string')
  ) {
    const { protocol, href } = /** @type {URL} */ (filename)
    if (protocol === 'file:' || protocol === 'data:') return href
  } else if (typeof filename === 'string' && filename !== '') {
    if (filename.startsWith('file:')) {
      fileURLToPath(filename)
      return filename
    }
    if (filename.startsWith('data:')) return filename
    if (!filename.includes('\0') && !OTHER_SCHEME.test(filename)) return pathToFileURL(path.resolve(filename)).href
  }
  throw invalidArgument(`${label} must be a path, a file: URL or a data: URL, got ${show(filename)}`)
}

module.exports = {
  NATIVE,
  SCRIPT,
  Target,
  nativeTarget,
  nativeTargetOf,
  scriptTargetOf,
  scriptTarget,
  inlineTarget,
  variantOf,
  scriptUrl
}
