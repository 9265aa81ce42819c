'use strict'

// The built-ins of the language for the code that reads and writes the memories shared with Rust, as they were when the
// package was loaded. If a program replaces a built-in later, that code does not run it.

// Node.js makes these at their first use. If that came later, the program could have changed the prototypes that they
// rely on.
require('node:worker_threads')
require('node:diagnostics_channel')

const { bind, call } = Function.prototype
/**
 * A method as a function, `this` first.
 * @type {<T, A extends unknown[], R>(method: (this: T, ...args: A) => R) => (self: T, ...args: A) => R}
 */
const uncurried = /** @type {any} */ (bind.bind(call))

const {
  create: createObject,
  defineProperty,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  hasOwn,
  keys: keysOf,
  setPrototypeOf
} = Object
const viewProto = getPrototypeOf(Uint8Array.prototype)
const byteLength = getOwnPropertyDescriptor(viewProto, 'byteLength')
const buffer = getOwnPropertyDescriptor(viewProto, 'buffer')
const { fromCharCode } = String
const { parse: parseJson } = JSON
/** A getter of regular expressions. @param {string} name @returns {((pattern: object) => unknown) | undefined} */
const patternGetter = (name) => {
  const get = /** @type {((this: object) => unknown) | undefined} */ (
    getOwnPropertyDescriptor(RegExp.prototype, name)?.get
  )
  return get && uncurried(get)
}

module.exports = {
  createObject,
  defineProperty,
  fromCharCode,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  hasOwn,
  keysOf,
  isArray: Array.isArray,
  arrayProto: Array.prototype,
  bufferProto: ArrayBuffer.prototype,
  dateProto: Date.prototype,
  mapProto: Map.prototype,
  objectProto: Object.prototype,
  regExpProto: RegExp.prototype,
  setProto: Set.prototype,
  parseJson,
  setPrototypeOf,
  uncurried,
  cloneByEngine: structuredClone,
  loadAtomic: Atomics.load,
  storeAtomic: Atomics.store,
  /** The classes that a cloned error may have, by the number that an encoded error has. */
  errorClasses: [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError],
  BigIntOf: BigInt,
  /** @type {(memory: ArrayBuffer) => Buffer<ArrayBuffer>} over the same memory */
  bufferFrom: Buffer.from.bind(Buffer),
  Bytes: Uint8Array,
  DateClass: Date,
  Compiled: Function,
  MapClass: Map,
  SetClass: Set,
  RegExpClass: RegExp,
  charCodeAt: uncurried(String.prototype.charCodeAt),
  latin1Write: uncurried(Buffer.prototype.latin1Write),
  ucs2Write: uncurried(Buffer.prototype.ucs2Write),
  utf8Write: uncurried(Buffer.prototype.utf8Write),
  setBytes: uncurried(Uint8Array.prototype.set),
  numberText: uncurried(Number.prototype.toString),
  getDouble: uncurried(DataView.prototype.getFloat64),
  getTime: uncurried(Date.prototype.getTime),
  tagOf: uncurried(/** @type {(this: unknown) => string} */ (Object.prototype.toString)),
  patternSource: /** @type {(pattern: object) => string} */ (patternGetter('source')),
  /**
   * The getters for the flags of a regular expression.
   * @type {[flag: string, isSet: ReturnType<typeof patternGetter>][]}
   */
  patternFlags: [
    ['d', patternGetter('hasIndices')],
    ['g', patternGetter('global')],
    ['i', patternGetter('ignoreCase')],
    ['m', patternGetter('multiline')],
    ['s', patternGetter('dotAll')],
    ['u', patternGetter('unicode')],
    ['v', patternGetter('unicodeSets')],
    ['y', patternGetter('sticky')]
  ],
  mapDelete: uncurried(Map.prototype.delete),
  mapForEach: uncurried(Map.prototype.forEach),
  mapGet: uncurried(Map.prototype.get),
  mapKeys: uncurried(Map.prototype.keys),
  /** @type {(view: ArrayBufferView) => number} of a typed array */
  byteLengthOf: uncurried(/** @type {() => number} */ (byteLength?.get)),
  /** @type {(view: ArrayBufferView) => ArrayBufferLike} of a typed array */
  bufferOf: uncurried(/** @type {() => ArrayBufferLike} */ (buffer?.get)),
  latin1Slice: uncurried(Buffer.prototype.latin1Slice),
  ucs2Slice: uncurried(Buffer.prototype.ucs2Slice),
  utf8Slice: uncurried(Buffer.prototype.utf8Slice),
  mapSet: uncurried(Map.prototype.set),
  nextOfMap: uncurried(Object.getPrototypeOf(new Map().keys()).next),
  setAdd: uncurried(Set.prototype.add),
  setForEach: uncurried(Set.prototype.forEach),
  sliceBuffer: uncurried(ArrayBuffer.prototype.slice),
  sliceText: uncurried(String.prototype.slice)
}
