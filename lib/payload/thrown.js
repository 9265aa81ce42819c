'use strict'

// The errors and other values that a script throws, on their way to the caller. Errors keep their class if it is built
// in, and their name, message, stack, own properties, cause and members. Any other value arrives as it is.

const { types } = require('node:util')
const { RspoolError, fromCode } = require('../errors')
const { cloneByEngine } = require('../native/primordials')

/** @typedef {new (message?: string) => Error} ErrorClass */

/** @type {Record<string, ErrorClass | AggregateErrorConstructor>} */
const CLASSES = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
  AggregateError
}
const TAKEN_CARE_OF = new Set(['name', 'message', 'stack', 'cause', 'errors'])
/** The longest chain of causes. */
const MAX_DEPTH = 16

/**
 * @typedef {object} Description
 * @property {boolean} error
 * @property {unknown} [value]
 * @property {string} [class]
 * @property {string} [name]
 * @property {string} [message]
 * @property {string} [stack]
 * @property {Record<string, unknown>} [properties]
 * @property {boolean} hasCause
 * @property {Description} [cause]
 * @property {Description[]} [errors]
 */

/**
 * @param {unknown} value
 * @returns {value is Error}
 */
function isError(value) {
  if (types.isNativeError(value)) return true
  return !types.isProxy(value) && value instanceof Error
}

/**
 * A clone, which runs no code of the user when it is sent; undefined if the value cannot be cloned.
 * @param {unknown} value
 * @returns {{ value: unknown } | undefined}
 */
function cloneOf(value) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol'))
    return { value }
  try {
    return { value: cloneByEngine(value) }
  } catch {
    return undefined
  }
}

/**
 * @param {() => unknown} get may throw, by a getter
 * @param {string} otherwise
 */
function text(get, otherwise) {
  try {
    return String(get())
  } catch {
    return otherwise
  }
}

/**
 * Plain data that stands for the thrown value. Never throws. An error that is met twice is described once, so that
 * errors that refer to each other do so at the other end, too.
 * @param {unknown} thrown
 * @param {number} [depth]
 * @param {Map<unknown, Description>} [seen]
 * @returns {Description}
 */
function describe(thrown, depth = 0, seen = new Map()) {
  const known = seen.get(thrown)
  if (known !== undefined) return known
  if (!isError(thrown)) {
    const clone = cloneOf(thrown)
    return clone === undefined ? describeUncloneable(thrown) : { error: false, value: clone.value, hasCause: false }
  }
  /** @type {Description} */
  const description = {
    error: true,
    class: classOf(thrown),
    name: text(() => thrown.name, 'Error'),
    message: text(() => thrown.message, ''),
    stack: stackOf(thrown),
    // All are own properties. Otherwise the reader could find properties that somebody added to Object.prototype.
    properties: undefined,
    hasCause: false,
    cause: undefined,
    errors: undefined
  }
  seen.set(thrown, description)
  const properties = cloneableOf(thrown)
  if (description.class === 'DOMException') properties.code = /** @type {NodeJS.ErrnoException} */ (thrown).code
  description.properties = properties
  if (depth < MAX_DEPTH) {
    const held = heldBy(thrown)
    description.hasCause = held.hasCause
    if (held.hasCause) description.cause = describe(held.cause, depth + 1, seen)
    description.errors = held.errors?.map((each) => describe(each, depth + 1, seen))
  }
  return description
}

/**
 * The own properties of an object that can be cloned, without those that all errors have.
 * @param {object} object
 * @returns {Record<string, unknown>}
 */
function cloneableOf(object) {
  const found = /** @type {Record<string, unknown>} */ ({})
  for (const key of Object.keys(object)) {
    if (TAKEN_CARE_OF.has(key)) continue
    try {
      const clone = cloneOf(/** @type {Record<string, unknown>} */ (object)[key])
      if (clone !== undefined) found[key] = clone.value
    } catch {}
  }
  return found
}

/**
 * Describes a value that is no error and cannot be cloned. It arrives as an error with the name, the message and the data
 * of the value, including the data of its `toJSON`.
 * @param {unknown} thrown
 * @returns {Description}
 */
function describeUncloneable(thrown) {
  const own = (/** @type {string} */ key) => {
    try {
      const value = /** @type {Record<string, unknown>} */ (thrown)[key]
      return typeof value === 'string' && value !== '' ? value : undefined
    } catch {
      return undefined
    }
  }
  const isObject = thrown !== null && (typeof thrown === 'object' || typeof thrown === 'function')
  const message =
    (isObject && own('message')) || `a value that cannot be cloned was thrown: ${text(() => thrown, 'an object')}`
  const name = (typeof thrown === 'object' && own('name')) || 'Error'
  const error = new Error(message)
  return {
    error: true,
    class: 'Error',
    name,
    message,
    stack: (isObject && own('stack')) || stackOf(error),
    properties: isObject
      ? { ...jsonOf(/** @type {object} */ (thrown)), ...cloneableOf(/** @type {object} */ (thrown)) }
      : {},
    hasCause: false,
    cause: undefined,
    errors: undefined
  }
}

/**
 * The data that the `toJSON` of an object gives.
 * @param {object & { toJSON?: unknown }} object
 * @returns {Record<string, unknown> | undefined}
 */
function jsonOf(object) {
  try {
    const data = typeof object.toJSON === 'function' ? object.toJSON() : undefined
    return data !== null && typeof data === 'object' ? cloneableOf(data) : undefined
  } catch {
    return undefined
  }
}

/**
 * The stack as text, even if an `Error.prepareStackTrace` of the user gives call sites; '' if there is none.
 * @param {unknown} error
 * @returns {string}
 */
function stackOf(error) {
  try {
    const { stack } = /** @type {{ stack?: unknown }} */ (error)
    if (Array.isArray(stack)) return [text(() => error, 'Error'), ...stack.map((site) => `    at ${site}`)].join('\n')
    return stack === undefined ? '' : String(stack)
  } catch {
    return ''
  }
}

/**
 * @param {Error & { errors?: unknown }} error
 * @returns {{ hasCause: boolean, cause: unknown, errors: unknown[] | undefined }}
 */
function heldBy(error) {
  try {
    const errors = Object.hasOwn(error, 'errors') && Array.isArray(error.errors) ? [...error.errors] : undefined
    return { hasCause: Object.hasOwn(error, 'cause'), cause: error.cause, errors }
  } catch {
    return { hasCause: false, cause: undefined, errors: undefined }
  }
}

/** @param {unknown} error */
function classOf(error) {
  if (error instanceof DOMException) return 'DOMException'
  if (error instanceof RspoolError) return 'RspoolError'
  for (let proto = Object.getPrototypeOf(error); proto !== null; proto = Object.getPrototypeOf(proto)) {
    const name = Object.hasOwn(proto, 'constructor') ? proto.constructor?.name : undefined
    if (typeof name === 'string' && Object.hasOwn(CLASSES, name)) return name
  }
  return 'Error'
}

/** The errors that were made here for thrown ones. @type {WeakSet<object>} */
const revived = new WeakSet()

/**
 * Makes the thrown value from its description.
 * @param {Description} description
 * @param {Map<Description, Error>} [made]
 * @returns {unknown}
 */
function revive(description, made = new Map()) {
  if (!description.error) return description.value
  const outermost = made.size === 0
  const before = made.get(description)
  if (before !== undefined) return before
  const error = bareError(description)
  made.set(description, error)
  finish(error, description, made, outermost)
  if (outermost) revived.add(error)
  return error
}

/**
 * The error without its cause, members and properties.
 * @param {Description} description
 * @returns {Error}
 */
function bareError(description) {
  const { message, name } = description
  if (description.class === 'DOMException') return new DOMException(message, name)
  if (description.class === 'RspoolError') {
    return fromCode(String(description.properties?.code), message ?? '')
  }
  const Class = CLASSES[/** @type {string} */ (description.class)] ?? Error
  const error =
    Class === AggregateError ? new AggregateError([], message) : new /** @type {ErrorClass} */ (Class)(message)
  if (error.name !== name) hide(error, 'name', name)
  return error
}

/**
 * @param {Error} error
 * @param {Description} description
 * @param {Map<Description, Error>} made
 * @param {boolean} outermost whether it is the thrown error itself: its cause and members need no frames of callers
 */
function finish(error, description, made, outermost) {
  hide(error, 'stack', outermost ? joined(description.stack, stackOf(error)) : (description.stack ?? ''))
  if (description.errors !== undefined) {
    const members = description.errors.map((each) => revive(each, made))
    if (error instanceof AggregateError) hide(error, 'errors', members)
    else Object.assign(error, { errors: members })
  }
  if (description.hasCause) hide(error, 'cause', revive(/** @type {Description} */ (description.cause), made))
  for (const [key, value] of Object.entries(description.properties ?? {})) {
    if (key === 'code' && error instanceof DOMException) continue
    Object.defineProperty(error, key, { value, writable: true, enumerable: true, configurable: true })
  }
}

/**
 * The worker's stack, then the frames of the caller that awaited it.
 * @param {string | undefined} inWorker
 * @param {string} here
 */
function joined(inWorker, here) {
  const callers = here.split('\n').filter((line) => line.trimStart().startsWith('at async '))
  return [inWorker ?? '', ...callers].join('\n')
}

/**
 * Adds the frames of the waiting callers to a revived error that other code got first.
 * @param {unknown} error
 * @returns {unknown}
 */
function withCallers(error) {
  if (error !== null && typeof error === 'object' && revived.delete(error))
    hide(error, 'stack', joined(stackOf(error), stackOf(new Error())))
  return error
}

/**
 * @param {object} object
 * @param {string} key
 * @param {unknown} value
 */
function hide(object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, enumerable: false, configurable: true })
}

/** The first line of the stack of a syntax error in a file: its place. */
const PLACE = /^(\S.*:\d+)\n/

/**
 * The place of a syntax error in a file, to be added to its message; '' if the engine does not tell, or the message has
 * it.
 * @param {unknown} error
 */
function placeInSource(error) {
  if (!(error instanceof SyntaxError)) return ''
  const place = PLACE.exec(stackOf(error))?.[1]
  return place === undefined || error.message.endsWith(')') ? '' : ` (${place})`
}

module.exports = { describe, placeInSource, revive, stackOf, withCallers }
