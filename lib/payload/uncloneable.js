'use strict'

// Says of what cannot be cloned where it is: the engine names the thing, and not its place.

const { types } = require('node:util')

/** How deep and how far a place is looked for. */
const DEEPEST = 16
const MOST = 10_000

/**
 * The error itself, with the place of what could not be cloned in its message, if that is what it is about.
 * @template T
 * @param {T} error
 * @param {unknown} value
 * @param {'input' | 'result'} what
 * @returns {T}
 */
function explain(error, value, what) {
  if (!(error instanceof DOMException) || error.name !== 'DataCloneError') return error
  try {
    const advice = adviceOn(value, what)
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
 * @param {'input' | 'result'} what
 */
function adviceOn(value, what) {
  if (what === 'result' && types.isGeneratorObject(value))
    return 'the function gave a generator, whose items come by pool.stream(task, input)'
  const place = placeOf(value)
  if (place === undefined) return undefined
  if (place === '' && what === 'input') {
    if (typeof value === 'function') return 'a function is no input. To run it, use runTask(fn, args)'
    if (types.isPromise(value)) return 'a promise is no input. Await it first, as in run(await value)'
  }
  return place === '' ? `it is the ${what} of the task` : `it is ${place} of the task's ${what}`
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
