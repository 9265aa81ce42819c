'use strict'

// Values for another machine: JSON that a person can read, with a tag for what JSON has no word for, and the
// bytes beside it. What `structuredClone` gives for a value is what the other machine gets, or the call is
// refused; a small Buffer takes its own bytes along, never those of its neighbours in Node's slab. Version 1.
//
// What JSON cannot say is an object with the one key `$`: an array of the kind and what it is made of. Objects
// count from 0 in the order in which they begin, so a second mention is `ref` and a number. Nothing is looked up
// by a name from outside, and no prototype is ever set from there.

const { types } = require('node:util')
const { RspoolError } = require('../errors')
const { slabBytes } = require('../payload/views')

const VERSION = 1
/** Deeper values are refused at both ends: both are recursive. */
const MAX_DEPTH = 1000
/** The header of packed bytes: the version, and the lengths of the text and of the list of parts. */
const HEADER = 12

/** @type {Record<string, new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView>} */
const VIEWS = Object.assign(Object.create(null), {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView
})
const { Float16Array } = /** @type {{ Float16Array?: typeof Float32Array }} */ (globalThis)
if (Float16Array !== undefined) Object.assign(VIEWS, { Float16Array })

/** @type {Record<string, ErrorConstructor>} */
const ERRORS = Object.assign(Object.create(null), {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError
})

/**
 * An encoded value.
 * @typedef {object} Encoded
 * @property {string} text
 * @property {Uint8Array[]} parts the bytes of its ArrayBuffers, not copied
 */

/** @param {string} message */
function uncloneable(message) {
  return new DOMException(message, 'DataCloneError')
}

/** @param {string} why */
function malformed(why) {
  return new RspoolError('ERR_RSPOOL_BAD_ENVELOPE', `A value that another machine sent cannot be read: ${why}`)
}

/** @param {string[]} parts the kind, then its parts as text */
function tagged(...[kind, ...parts]) {
  return `{"$":["${kind}"${parts.map((part) => `,${part}`).join('')}]}`
}

// ---- writing -----------------------------------------------------------------------------------

class Encoder {
  /** @type {Map<object, number>} */
  #seen = new Map()
  #depth = 0
  /** @type {Uint8Array[]} */
  parts = []

  /**
   * @param {unknown} value
   * @returns {string}
   */
  text(value) {
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value)
      case 'boolean':
        return value ? 'true' : 'false'
      case 'number':
        if (Object.is(value, -0)) return tagged('number', '"-0"')
        return Number.isFinite(value) ? String(value) : tagged('number', `"${value}"`)
      case 'undefined':
        return tagged('undefined')
      case 'bigint':
        return tagged('bigint', `"${value}"`)
      case 'object':
        return value === null ? 'null' : this.#object(value)
      default:
        throw uncloneable(`A ${typeof value} cannot be sent to another machine`)
    }
  }

  /**
   * @param {object} object
   * @returns {string}
   */
  #object(object) {
    const index = this.#seen.get(object)
    if (index !== undefined) return tagged('ref', String(index))
    this.#seen.set(object, this.#seen.size)
    if (++this.#depth > MAX_DEPTH) throw uncloneable(`The value is nested more than ${MAX_DEPTH} deep`)
    const text = this.#contents(object)
    this.#depth--
    return text
  }

  /**
   * @param {object} object
   * @returns {string}
   */
  #contents(object) {
    if (types.isProxy(object)) throw uncloneable('A Proxy cannot be sent to another machine')
    if (Array.isArray(object)) return this.#array(object)
    if (types.isDate(object)) {
      const time = Date.prototype.getTime.call(object)
      return tagged('date', Number.isNaN(time) ? 'null' : String(time))
    }
    if (types.isRegExp(object)) return tagged('regexp', JSON.stringify(object.source), JSON.stringify(object.flags))
    if (types.isMap(object)) return tagged('map', ...[...object].flat().map((each) => this.text(each)))
    if (types.isSet(object)) return tagged('set', ...[...object].map((each) => this.text(each)))
    if (types.isNativeError(object)) return this.#error(object)
    if (ArrayBuffer.isView(object)) return this.#view(object)
    if (types.isArrayBuffer(object)) return this.#buffer(object)
    if (types.isBoxedPrimitive(object)) return tagged('boxed', this.text(object.valueOf()))
    if (!isPlain(object)) {
      const name = /** @type {{ constructor?: { name?: string } }} */ (object).constructor?.name ?? 'object'
      throw uncloneable(`${name}: it cannot be sent to another machine`)
    }
    return this.#plain(object)
  }

  /**
   * @param {object} object
   * @returns {string}
   */
  #plain(object) {
    const keys = Object.keys(object)
    let text = ''
    for (const key of keys) {
      const value = this.text(/** @type {never} */ (object)[key])
      text = text === '' ? `${quoted(key)}:${value}` : `${text},${quoted(key)}:${value}`
    }
    return keys.length === 1 && keys[0] === '$' ? tagged('plain', `{${text}}`) : `{${text}}`
  }

  /** @param {unknown[]} array */
  #array(array) {
    const keys = Object.keys(array)
    if (keys.length === array.length && (keys.length === 0 || keys.at(-1) === String(array.length - 1))) {
      let text = ''
      for (let i = 0; i < array.length; i++) text = i === 0 ? this.text(array[i]) : `${text},${this.text(array[i])}`
      return `[${text}]`
    }
    const pairs = keys.map((key) => `${JSON.stringify(key)},${this.text(/** @type {never} */ (array)[key])}`)
    return tagged('array', String(array.length), ...pairs)
  }

  /** @param {Error} error */
  #error(error) {
    const { name, message, stack, cause } = error
    const parts = [name in ERRORS ? name : 'Error', message, stack].map((part) => this.text(part))
    if (Object.hasOwn(error, 'cause')) parts.push(this.text(cause))
    return tagged('error', ...parts)
  }

  /**
   * @param {ArrayBufferView} view
   * @returns {string}
   */
  #view(view) {
    const own = slabBytes(view)
    const kind = Buffer.isBuffer(view) ? 'Uint8Array' : viewName(view)
    if (!(kind in VIEWS)) throw uncloneable(`A ${kind} cannot be sent to another machine`)
    const { buffer, byteOffset, byteLength } = view
    if (own === undefined)
      return tagged('view', `"${kind}"`, this.#object(buffer), String(byteOffset), String(byteLength))
    // A buffer of its own, which nothing else can mention.
    this.#seen.set({}, this.#seen.size)
    return tagged('view', `"${kind}"`, this.#bytes(own), '0', String(byteLength))
  }

  /** @param {ArrayBuffer} buffer */
  #buffer(buffer) {
    if (isDetached(buffer)) throw uncloneable('An ArrayBuffer is detached and cannot be sent')
    return this.#bytes(new Uint8Array(buffer))
  }

  /** @param {Uint8Array} bytes */
  #bytes(bytes) {
    return tagged('bytes', String(this.parts.push(bytes) - 1))
  }
}

/** Keys as JSON: the same ones come again and again. @type {Map<string, string>} */
const quotedKeys = new Map()
const MOST_KEYS = 1000

/** @param {string} key */
function quoted(key) {
  let text = quotedKeys.get(key)
  if (text === undefined) {
    text = JSON.stringify(key)
    if (quotedKeys.size < MOST_KEYS && key.length < 64) quotedKeys.set(key, text)
  }
  return text
}

/** @param {ArrayBufferView} view */
function viewName(view) {
  // As it was made: a class of the user's over it is lost, as in every clone.
  return view instanceof DataView ? 'DataView' : String(Reflect.get(TYPED_ARRAY, Symbol.toStringTag, view))
}
const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype)

/** @param {ArrayBuffer} buffer */
function isDetached(buffer) {
  return buffer.byteLength === 0 && /** @type {{ detached?: boolean }} */ (buffer).detached === true
}

/**
 * Whether a clone of the object is a plain one. The engine alone knows that of an instance of a class, which
 * may be the platform's.
 * @param {object} object
 */
function isPlain(object) {
  const proto = Object.getPrototypeOf(object)
  if (proto === Object.prototype && !Object.hasOwn(object, Symbol.toStringTag)) return !isSlotted(object)
  try {
    return Object.getPrototypeOf(structuredClone(object)) === Object.prototype
  } catch {
    return false
  }
}

/** @param {object} object */
function isSlotted(object) {
  return (
    types.isAnyArrayBuffer(object) ||
    types.isPromise(object) ||
    types.isWeakMap(object) ||
    types.isWeakSet(object) ||
    types.isGeneratorObject(object) ||
    types.isExternal(object)
  )
}

/**
 * @param {unknown} value
 * @returns {Encoded}
 * @throws DataCloneError for what cannot be sent to another machine
 */
function encode(value) {
  const encoder = new Encoder()
  const text = encoder.text(value)
  return { text, parts: encoder.parts }
}

// ---- reading -----------------------------------------------------------------------------------

class Decoder {
  #parts
  /** @type {unknown[]} */
  #seen = []
  #depth = 0

  /** @param {Uint8Array[]} parts */
  constructor(parts) {
    this.#parts = parts
  }

  /**
   * @param {unknown} node
   * @returns {unknown}
   */
  value(node) {
    if (node === null || typeof node !== 'object') return node
    if (++this.#depth > MAX_DEPTH + 1) throw malformed('it is nested too deep')
    const value = Array.isArray(node) ? this.#array(node) : this.#object(node)
    this.#depth--
    return value
  }

  /**
   * @template T
   * @param {T} object
   * @returns {T}
   */
  #begin(object) {
    this.#seen.push(object)
    return object
  }

  /** @param {unknown[]} node */
  #array(node) {
    const array = this.#begin(/** @type {unknown[]} */ ([]))
    for (const each of node) array.push(this.value(each))
    return array
  }

  /** @param {object} node */
  #object(node) {
    const keys = Object.keys(node)
    if (keys.length === 1 && keys[0] === '$') {
      const parts = /** @type {{ $: unknown }} */ (node).$
      if (Array.isArray(parts)) return this.#tagged(parts)
    }
    return this.#plain(node)
  }

  /** @param {object} node */
  #plain(node) {
    const object = this.#begin({})
    for (const [key, value] of Object.entries(node)) put(object, key, this.value(value))
    return object
  }

  /** @param {unknown[]} tagged */
  #tagged([kind, ...parts]) {
    const read = typeof kind === 'string' && Object.hasOwn(this.#kinds, kind) ? this.#kinds[kind] : undefined
    if (read === undefined) throw malformed(`it has a kind ${JSON.stringify(kind)?.slice(0, 40)} that is not known`)
    return read(parts)
  }

  /** @type {Record<string, (parts: unknown[]) => unknown>} */
  #kinds = {
    undefined: () => undefined,
    number: ([text]) => number(text),
    bigint: ([text]) => bigint(text),
    ref: ([index]) => {
      const at = count(index, this.#seen.length - 1)
      return this.#seen[at]
    },
    plain: ([node]) => {
      if (node === null || typeof node !== 'object' || Array.isArray(node)) throw malformed('a plain object is none')
      return this.#plain(node)
    },
    date: ([time]) => this.#begin(new Date(time === null ? Number.NaN : number(time))),
    regexp: ([source, flags]) => {
      try {
        return this.#begin(new RegExp(string(source), string(flags)))
      } catch {
        throw malformed('a regular expression has no valid source or flags')
      }
    },
    boxed: ([node]) => {
      const at = this.#seen.push(undefined) - 1
      const boxed = Object(this.value(node))
      this.#seen[at] = boxed
      return boxed
    },
    map: (parts) => {
      const map = this.#begin(new Map())
      for (let i = 0; i + 1 < parts.length; i += 2) map.set(this.value(parts[i]), this.value(parts[i + 1]))
      return map
    },
    set: (parts) => {
      const set = this.#begin(new Set())
      for (const each of parts) set.add(this.value(each))
      return set
    },
    array: ([length, ...pairs]) => {
      const array = this.#begin(/** @type {unknown[]} */ ([]))
      array.length = count(length, 0xffffffff)
      for (let i = 0; i + 1 < pairs.length; i += 2) put(array, string(pairs[i]), this.value(pairs[i + 1]))
      return array
    },
    error: (parts) => {
      const [name, message, stack, cause] = parts
      const Class = ERRORS[string(name)] ?? Error
      const error = this.#begin(new Class(string(message)))
      const trace = this.value(stack)
      hide(error, 'stack', typeof trace === 'string' ? trace : undefined)
      if (parts.length > 3) hide(error, 'cause', this.value(cause))
      return error
    },
    bytes: ([index]) => {
      const part = this.#parts[count(index, this.#parts.length - 1)]
      return this.#begin(owned(part))
    },
    view: ([kind, node, offset, length]) => {
      const at = this.#seen.push(undefined) - 1
      const View = VIEWS[string(kind)]
      const buffer = this.value(node)
      if (View === undefined || !(buffer instanceof ArrayBuffer)) throw malformed('a view is of nothing')
      const begin = count(offset, buffer.byteLength)
      const bytes = count(length, buffer.byteLength - begin)
      const size = /** @type {{ BYTES_PER_ELEMENT?: number }} */ (View).BYTES_PER_ELEMENT ?? 1
      if (begin % size !== 0 || bytes % size !== 0) throw malformed('a view is not aligned')
      const view = new View(buffer, begin, bytes / size)
      this.#seen[at] = view
      return view
    }
  }
}

/**
 * An own property, whatever Object.prototype has of that name.
 * @param {object} object
 * @param {string} key
 * @param {unknown} value
 */
function put(object, key, value) {
  if (!(key in Object.prototype) && !Array.isArray(object)) {
    const record = /** @type {Record<string, unknown>} */ (object)
    record[key] = value
    return
  }
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

/**
 * @param {object} object
 * @param {string} key
 * @param {unknown} value
 */
function hide(object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, enumerable: false, configurable: true })
}

/** @param {unknown} text */
function string(text) {
  if (typeof text !== 'string') throw malformed('a text is missing')
  return text
}

/** @param {unknown} given */
function number(given) {
  const value = Number(given)
  if (Number.isNaN(value) && given !== 'NaN') throw malformed('a number is none')
  return value
}

/** @param {unknown} text */
function bigint(text) {
  if (!/^-?\d+$/.test(string(text))) throw malformed('a bigint is none')
  return BigInt(string(text))
}

/**
 * @param {unknown} value
 * @param {number} most
 */
function count(value, most) {
  if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > most) throw malformed('a count is out of range')
  return Number(value)
}

/**
 * The bytes in an ArrayBuffer of their own.
 * @param {Uint8Array} bytes
 */
function owned({ buffer, byteOffset, byteLength }) {
  if (byteOffset === 0 && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) return buffer
  return buffer.slice(byteOffset, byteOffset + byteLength)
}

/**
 * @param {Encoded} encoded
 * @returns {unknown}
 * @throws ERR_RSPOOL_BAD_ENVELOPE
 */
function decode({ text, parts }) {
  let node
  try {
    node = JSON.parse(text)
  } catch {
    throw malformed('it is no JSON')
  }
  return new Decoder(parts).value(node)
}

// ---- as bytes ----------------------------------------------------------------------------------

/** How many bytes `pack` gives. @param {Encoded} encoded */
function packedSize({ text, parts }) {
  return parts.reduce((sum, part) => sum + 4 + part.byteLength, HEADER + Buffer.byteLength(text))
}

/**
 * As one piece, for a store: the version, the length of the text, the number of parts, the text, and each part
 * after its length. Numbers are of 32 bits, little-endian.
 * @param {Encoded} encoded
 */
function pack({ text, parts }) {
  const words = Buffer.from(text)
  const sizes = parts.map(({ byteLength }) => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(byteLength)
    return size
  })
  const header = Buffer.alloc(HEADER)
  header.writeUInt32LE(VERSION, 0)
  header.writeUInt32LE(words.length, 4)
  header.writeUInt32LE(parts.length, 8)
  return Buffer.concat([header, words, ...parts.flatMap((part, i) => [sizes[i], part])])
}

/**
 * @param {Uint8Array} given
 * @returns {Encoded}
 */
function unpack(given) {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength)
  if (bytes.length < HEADER) throw malformed('it is cut off')
  const version = bytes.readUInt32LE(0)
  if (version !== VERSION) throw malformed(`it is of version ${version}, and this is version ${VERSION}`)
  let at = HEADER + bytes.readUInt32LE(4)
  if (at > bytes.length) throw malformed('it is cut off')
  const text = bytes.toString('utf8', HEADER, at)
  const parts = []
  for (let left = bytes.readUInt32LE(8); left > 0; left--) {
    if (at + 4 > bytes.length) throw malformed('it is cut off')
    const end = at + 4 + bytes.readUInt32LE(at)
    if (end > bytes.length) throw malformed('it is cut off')
    parts.push(bytes.subarray(at + 4, end))
    at = end
  }
  if (at !== bytes.length) throw malformed('it is too long')
  return { text, parts }
}

module.exports = { VERSION, encode, decode, pack, unpack, packedSize, malformed }
