'use strict'

// Says where the value is that cannot be cloned, and of which task: the engine names the value alone.

const { types } = require('node:util')
const { isMoved, unwrap } = require('./move')

/** How deep and how far a place is looked for. */
const DEEPEST = 16
const MOST = 10_000

/**
 * The same error. If it is a DataCloneError, its message gets the task and the path of the value that cannot be cloned.
 * @template T
 * @param {T} error
 * @param {unknown} given to the task, or by it
 * @param {'input' | 'inputs' | 'result' | 'items'} what
 * @param {string} task its name, as describeTarget gives it
 * @returns {T}
 */
function explain(error, given, what, task) {
  if (!(error instanceof DOMException) || error.name !== 'DataCloneError') return error
  try {
    const value = isMoved(given) ? unwrap(given).value : given
    const advice = adviceOn(value, what, task === '(inline)' ? 'the inline task' : `task '${task}'`)
    if (advice === undefined) return error
    const message = `${error.message.replace(/[.\s]*$/, '')}: ${advice}`
    Object.defineProperty(error, 'message', { value: message, configurable: true, writable: true })
  } catch {
    // Looking may run code of the user's.
  }
  return error
}

/**
 * @param {unknown} value
 * @param {'input' | 'inputs' | 'result' | 'items'} what
 * @param {string} task
 */
function adviceOn(value, what, task) {
  if (what === 'result' && types.isGeneratorObject(value))
    return `the function of ${task} gave a generator, whose items come by pool.stream(task, input)`
  const place = placeOf(value)
  if (place === undefined) return undefined
  if (place === '' && what === 'input') {
    if (typeof value === 'function') return 'a function is no input. To run it, use runTask(fn, args)'
    if (types.isPromise(value)) return 'a promise is no input. Await it first, as in run(await value)'
  }
  return place === '' ? `it is the ${what} of ${task}` : `it is ${place} in the ${what} of ${task}`
}

/**
 * The path of the first thing in plain data that no clone can have; undefined if it is none of those that are known.
 * @param {unknown} root
 * @returns {string | undefined}
 */
function placeOf(root) {
  let looked = 0
  const seen = new Set()
  /** @type {(value: unknown, path: string, depth: number) => string | undefined} */
  const find = (value, path, depth) => {
    if (isRefused(value)) return path
    if (value === null || typeof value !== 'object' || depth === DEEPEST || seen.has(value)) return undefined
    if (types.isProxy(value) || (looked += 1) > MOST) return undefined
    seen.add(value)
    for (const key of Object.keys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, key)
      const step = Array.isArray(value) ? `[${key}]` : path === '' ? key : `.${key}`
      const found = find(property?.value, path + step, depth + 1)
      if (found !== undefined) return found
    }
  }
  return find(root, '', 0)
}

/** @param {unknown} value */
function isRefused(value) {
  if (typeof value === 'function' || typeof value === 'symbol') return true
  return (
    types.isPromise(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isGeneratorObject(value) ||
    value instanceof WeakRef
  )
}

module.exports = { explain }
