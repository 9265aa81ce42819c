'use strict'

// Inline functions: compiled from their text, with the `require` and `import()` of the file that they
// were called from.

const Module = require('node:module')
const path = require('node:path')
const { fileURLToPath, pathToFileURL } = require('node:url')
const { invalidArgument } = require('../errors')
const { stackOf } = require('../payload/thrown')
const { helpersFor, namesIn, outsideOf } = require('./rewritten')

/**
 * Members of Node.js that have no type.
 * @typedef {{ filename: string, paths: string[], exports: unknown,
 *   _compile: (source: string, file: string, format: 'commonjs') => void }} Internal
 */
/** @typedef {{ _nodeModulePaths: (folder: string) => string[] }} Paths */

const NOT_DEFINED = /^(\S+) is not defined$/
/** Matches a stack whose first frame is in the text of an inline function. */
const FROM_HERE = /^[^\n]*\n\s+at [^\n]*\?inline:/

/** Matches a function whose parameters are only names, so it has no use for further arguments. */
const PLAIN = /^(?:async\s+)?(?:[\w$]+\s*=>|(?:function\b\s*\*?\s*)?[\w$]*\s*\([\w$\s,]*\))/

/**
 * Compiles a function. An array as its input is the list of arguments.
 * @param {string} source
 * @param {string | null} base the URL of its caller's file, if it matters
 * @returns {import('./script').Run}
 */
function compile(source, base) {
  const file = base == null ? path.resolve('[inline]') : fileURLToPath(base)
  const fn = functionOf(source, file)
  const most = PLAIN.test(source) && !/\barguments\b/.test(source) && fn.length > 0 ? fn.length : Infinity

  /** @param {unknown} error */
  const explained = (error) => {
    const name = error instanceof ReferenceError ? NOT_DEFINED.exec(error.message)?.[1] : undefined
    if (name === undefined || name in globalThis || !namesIn(source).has(name) || !FROM_HERE.test(stackOf(error)))
      return error
    return outsideOf(name, error)
  }
  /** @param {unknown} error */
  const rethrow = (error) => {
    throw explained(error)
  }

  return (input) => {
    try {
      if (Array.isArray(input) && input.length > most) throw tooMany(most, input.length)
      const value = Array.isArray(input) ? fn(...input) : input === undefined ? fn() : fn(input)
      return value instanceof Promise ? value.then(undefined, rethrow) : value
    } catch (error) {
      return rethrow(error)
    }
  }
}

/** @param {number} takes @param {number} given */
function tooMany(takes, given) {
  return invalidArgument(
    `The inline function takes ${takes === 1 ? '1 argument' : `${takes} arguments`}, and the input is an array of ${given}: ` +
      'an array is the list of arguments. To give the array itself as one argument, write runTask(fn, [array])'
  )
}

/**
 * The function of a text. The text of a method, `name () {}`, is no expression, so it is evaluated within an object.
 * @param {string} source
 * @param {string} file
 */
function functionOf(source, file) {
  const helpers = helpersFor(source, () => placeOf(file))
  const names = Object.keys(helpers).join()
  const made = (/** @type {string} */ expression) => {
    const make = evaluate(`function (${names}) { return (${expression}\n) }`, file)
    return /** @type {(...helpers: unknown[]) => (...args: unknown[]) => unknown} */ (make)(...Object.values(helpers))
  }
  try {
    return made(source)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    try {
      return made(`Object.values({ ${source} })[0]`)
    } catch {
      throw error
    }
  }
}

/** The functions that load modules for the file. @param {string} file */
function placeOf(file) {
  return /** @type {import('./rewritten').Place} */ (
    evaluate('{ require, import: (specifier) => import(specifier) }', file)
  )
}

/**
 * The value of an expression, evaluated in a CommonJS module in place of the file. Any other way to an `import()`
 * relative to the file causes a warning that it is experimental.
 * @param {string} expression
 * @param {string} file
 */
function evaluate(expression, file) {
  const module = /** @type {Internal} */ (/** @type {unknown} */ (new Module(file)))
  module.filename = file
  module.paths = /** @type {Paths} */ (/** @type {unknown} */ (Module))._nodeModulePaths(path.dirname(file))
  // The name in stacks distinguishes its lines from those of the file.
  const name = `${pathToFileURL(file).href}?inline`
  module._compile(`module.exports = ${expression}\n//# sourceURL=${name}`, file, 'commonjs')
  return module.exports
}

module.exports = { compile }
