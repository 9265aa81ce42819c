'use strict'

// Key lists of plain objects, by number. A list that recurs gets a number for the whole process (src/node/interned.rs).
// A message then carries the number instead of the keys, and both ends use code compiled for the list.

const native = require('../native/load')
const { Compiled, defineProperty, parseJson } = require('../native/primordials')
const { jsonOf } = require('./json')

/**
 * @typedef {object} Shape
 * @property {number} id
 * @property {string[]} keys
 * @property {(write: (value: unknown) => void, object: unknown) => void} write
 * @property {(read: () => unknown) => unknown} read
 */

/** Longer lists are wide: they are more likely those of a dictionary than of a record. */
const MAX_KEYS = 32
/** Lists longer than this, or with longer keys, have no number. */
const MAX_WIDE = 1024
const MAX_KEY_LENGTH = 64
/** A list gets a number when it is seen this often. */
const RECURS = 3
const WIDE_RECURS = 8
/** The most wide lists that are watched. */
const MAX_WATCHED = 64
/** The most nodes of watched lists. Beyond, only known lists are found. */
const MAX_NODES = 10_000

/** @typedef {{ next: Map<string, Node>, seen: number, shape: Shape | undefined }} Node */

/** @returns {Node} */
function node() {
  return { next: new Map(), seen: 0, shape: undefined }
}

const root = node()
let nodes = 0
/** The last shape per number of keys: most callers send one kind of object. */
const recent = /** @type {(Shape | undefined)[]} */ (new Array(MAX_KEYS + 1).fill(undefined))
/** @type {(Shape | undefined)[]} */
const byId = []

/**
 * Whether the realm allows making code from text. If not, shapes work without it.
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
 * @returns {Pick<Shape, 'write' | 'read'>}
 */
function compiled(keys) {
  let writes = ''
  let reads = ''
  for (let i = 0; i < keys.length; i++) {
    const name = jsonOf(keys[i])
    writes += `write(object[${name}]);`
    reads += `${name}: read(), `
  }
  return {
    write: /** @type {Shape['write']} */ (new Compiled('write', 'object', writes)),
    read: /** @type {Shape['read']} */ (new Compiled('read', `return { ${reads}}`))
  }
}

const objectProto = Object.prototype

/**
 * Sets an own property, even if Object.prototype has an accessor of that name, such as `__proto__`.
 * @param {object} object
 * @param {string} key
 * @param {unknown} value
 */
function put(object, key, value) {
  const record = /** @type {Record<string, unknown>} */ (object)
  if (key in objectProto) defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true })
  else record[key] = value
}

/** @param {string[]} keys */
function interpreted(keys) {
  return {
    write: (/** @type {(value: unknown) => void} */ write, /** @type {unknown} */ object) => {
      for (let i = 0; i < keys.length; i++) write(/** @type {Record<string, unknown>} */ (object)[keys[i]])
    },
    read: (/** @type {() => unknown} */ read) => {
      const object = {}
      for (let i = 0; i < keys.length; i++) put(object, keys[i], read())
      return object
    }
  }
}

/**
 * The last wide list per mark, which distinguishes most lists.
 * @type {Map<string, { keys: string[], seen: number, shape: Shape | undefined }>}
 */
const watched = new Map()

/**
 * @param {string[]} keys
 * @returns {Shape | undefined}
 */
function wideShapeOf(keys) {
  const { length } = keys
  if (length > MAX_WIDE) return undefined
  const mark = `${length} ${keys[0]} ${keys[length >> 1]} ${keys[length - 1]}`
  const list = watched.get(mark)
  if (list === undefined || !same(keys, list.keys)) {
    if (!keys.every(isNameable)) return undefined
    if (list === undefined && watched.size >= MAX_WATCHED) watched.delete(watched.keys().next().value ?? '')
    watched.set(mark, { keys, seen: 1, shape: undefined })
    return undefined
  }
  if (list.shape === undefined && ++list.seen === WIDE_RECURS) list.shape = numbered(keys)
  return list.shape
}

/** @param {string} key */
function isNameable(key) {
  return key.length <= MAX_KEY_LENGTH && key !== '__proto__'
}

/** @param {string[]} keys */
function numbered(keys) {
  const id = native.internShape(jsonOf(keys))
  return id < 0 ? undefined : makeShape(id, keys)
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
  if (keys.length > MAX_KEYS) return wideShapeOf(keys)
  const guess = recent[keys.length]
  if (guess !== undefined && same(keys, guess.keys)) return guess
  let at = root
  for (const key of keys) {
    let next = at.next.get(key)
    if (next === undefined) {
      if (nodes >= MAX_NODES || !isNameable(key)) return undefined
      nodes++
      at.next.set(key, (next = node()))
    }
    at = next
  }
  if (at.shape === undefined) {
    if (++at.seen < RECURS) return undefined
    at.shape = numbered(keys)
    if (at.shape === undefined) return undefined
  }
  recent[keys.length] = at.shape
  return at.shape
}

/**
 * The shape with this number, which another environment may have made.
 * @param {number} id
 * @returns {Shape}
 */
function shapeById(id) {
  return byId[id] ?? makeShape(id, parseJson(native.shapeKeys(id)))
}

module.exports = { shapeOf, shapeById, put }
