'use strict'

// What the code uses of the language that reads and writes the memories shared with Rust, as it was when the package
// was loaded: nothing that a program replaces later runs meanwhile.

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
  setPrototypeOf
} = Object
const byteLength = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), 'byteLength')
const { fromCharCode } = String
const { parse: parseJson, stringify: toJson } = JSON

module.exports = {
  createObject,
  defineProperty,
  fromCharCode,
  getOwnPropertyDescriptor,
  hasOwn,
  objectProto: Object.prototype,
  parseJson,
  setPrototypeOf,
  toJson,
  uncurried,
  cloneByEngine: structuredClone,
  /** Those that a clone may be of, by the number that an encoded one has. */
  errorClasses: [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError],
  BigIntOf: BigInt,
  Bytes: Uint8Array,
  DateClass: Date,
  Compiled: Function,
  MapClass: Map,
  SetClass: Set,
  RegExpClass: RegExp,
  joinTexts: uncurried(/** @type {(this: string[], by: string) => string} */ (Array.prototype.join)),
  charCodeAt: uncurried(String.prototype.charCodeAt),
  latin1Write: uncurried(Buffer.prototype.latin1Write),
  ucs2Write: uncurried(Buffer.prototype.ucs2Write),
  utf8Write: uncurried(Buffer.prototype.utf8Write),
  setBytes: uncurried(Uint8Array.prototype.set),
  mapGet: uncurried(Map.prototype.get),
  /** @type {(view: ArrayBufferView) => number} of a typed array */
  byteLengthOf: uncurried(/** @type {() => number} */ (byteLength?.get)),
  latin1Slice: uncurried(Buffer.prototype.latin1Slice),
  ucs2Slice: uncurried(Buffer.prototype.ucs2Slice),
  utf8Slice: uncurried(Buffer.prototype.utf8Slice),
  mapSet: uncurried(Map.prototype.set),
  setAdd: uncurried(Set.prototype.add),
  sliceBuffer: uncurried(ArrayBuffer.prototype.slice),
  sliceText: uncurried(String.prototype.slice)
}
