'use strict'

// Says where the value is that cannot be cloned, and for which task. The engine names only the value.

const { types } = require('node:util')
const { isMoved, unwrap } = require('./move')

/** How deep, and through how many objects, the place is searched. */
const DEEPEST = 16
const MOST = 10_000

/**
 * Gives the same error. If it is a DataCloneError, the task and the path of the value that cannot be cloned are added
 * to its message.
 * @template T
 * @param {T} error
 * @param {unknown} given the input of the task, or its result
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
    // The search may run code of the user, which may throw.
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
 * The path of the first value in plain data that is known not to be cloneable; undefined if there is none.
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
