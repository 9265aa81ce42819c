'use strict'

// Key lists of plain objects, by number. A list that recurs is given a number for the whole process
// (src/node/interned.rs), so that a message carries the number instead of the keys, and both ends use
// code made for it.

const native = require('../native/load')
const { Compiled, defineProperty, parseJson, toJson } = require('../native/primordials')

/**
 * @typedef {object} Shape
 * @property {number} id
 * @property {string[]} keys
 * @property {(write: (value: unknown) => void, object: any) => void} write
 * @property {(read: () => unknown) => any} read
 */

/** Lists longer than this, or with longer keys, are dictionaries rather than records. */
const MAX_KEYS = 32
const MAX_KEY_LENGTH = 64
/** A list gets a number when it is seen this often. */
const RECURS = 3
/** Lists that are watched at most; beyond, only known ones are found. */
const MAX_NODES = 10_000

/** @typedef {{ next: Map<string, Node>, seen: number, shape: Shape | undefined }} Node */

/** @returns {Node} */
function node() {
  return { next: new Map(), seen: 0, shape: undefined }
}

const root = node()
let nodes = 0
/** The shape last found for each number of keys: most callers send one kind of object. */
const recent = /** @type {(Shape | undefined)[]} */ (new Array(MAX_KEYS + 1).fill(undefined))
/** @type {(Shape | undefined)[]} */
const byId = []

/**
 * Whether the realm forbids making code from text; then shapes work without it.
 */
const canCompile = (() => {
  try {
    return new Compiled('return true')()
  } catch {
    return false
  }
})()

/**
 * @param {number} id
 * @param {string[]} keys
 * @returns {Shape}
 */
function makeShape(id, keys) {
  const known = byId[id]
  if (known !== undefined) return known
  const shape = { id, keys, ...(canCompile ? compiled(keys) : interpreted(keys)) }
  byId[id] = shape
  return shape
}

/**
 * @param {string[]} keys
 * @returns {any}
 */
function compiled(keys) {
  let writes = ''
  let reads = ''
  for (let i = 0; i < keys.length; i++) {
    const name = toJson(keys[i])
    writes += `write(object[${name}]);`
    reads += `${name}: read(), `
  }
  return {
    write: new Compiled('write', 'object', writes),
    read: new Compiled('read', `return { ${reads}}`)
  }
}

const objectProto = Object.prototype

/**
 * An own property, also where Object.prototype has an accessor of that name, as `__proto__` is.
 * @param {any} object
 * @param {string} key
 * @param {unknown} value
 */
function put(object, key, value) {
  if (key in objectProto) {
    defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  } else object[key] = value
}

/** @param {string[]} keys */
function interpreted(keys) {
  return {
    write: (/** @type {(value: unknown) => void} */ write, /** @type {any} */ object) => {
      for (let i = 0; i < keys.length; i++) write(object[keys[i]])
    },
    read: (/** @type {() => unknown} */ read) => {
      const object = /** @type {any} */ ({})
      for (let i = 0; i < keys.length; i++) put(object, keys[i], read())
      return object
    }
  }
}

/** @param {string[]} a @param {string[]} b */
function same(a, b) {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/**
 * The shape of an object with these keys, if they recur.
 * @param {string[]} keys
 * @returns {Shape | undefined}
 */
function shapeOf(keys) {
  if (keys.length > MAX_KEYS) return undefined
  const guess = recent[keys.length]
  if (guess !== undefined && same(keys, guess.keys)) return guess
  let at = root
  for (const key of keys) {
    let next = at.next.get(key)
    if (next === undefined) {
      if (nodes >= MAX_NODES || key.length > MAX_KEY_LENGTH || key === '__proto__') return undefined
      nodes++
      at.next.set(key, (next = node()))
    }
    at = next
  }
  if (at.shape === undefined) {
    if (++at.seen < RECURS) return undefined
    const id = native.internShape(toJson(keys))
    if (id < 0) return undefined
    at.shape = makeShape(id, keys)
  }
  recent[keys.length] = at.shape
  return at.shape
}

/**
 * The shape with this number, which another environment may have given.
 * @param {number} id
 * @returns {Shape}
 */
function shapeById(id) {
  return byId[id] ?? makeShape(id, parseJson(native.shapeKeys(id)))
}

module.exports = { shapeOf, shapeById, put }
