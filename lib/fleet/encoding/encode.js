'use strict'

// Encodes a value as text, with its bytes beside it.

const { types } = require('node:util')
const { cloneByEngine } = require('../../native/primordials')
const { slabBytes } = require('../../payload/views')
const { ERRORS, MAX_DEPTH, VIEWS } = require('./kinds')

/** @param {string} message */
function uncloneable(message) {
  return new DOMException(message, 'DataCloneError')
}

/** @param {string[]} parts the kind, then its parts as text */
function tagged(...[kind, ...parts]) {
  return `{"$":["${kind}"${parts.map((part) => `,${part}`).join('')}]}`
}

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
    // A new buffer, to which nothing else can refer.
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

/** Keys as JSON, since the same keys come again and again. @type {Map<string, string>} */
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
  // The built-in class: a subclass of the user is lost, as in every clone.
  return view instanceof DataView ? 'DataView' : String(Reflect.get(TYPED_ARRAY, Symbol.toStringTag, view))
}
const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype)

/** @param {ArrayBuffer} buffer */
function isDetached(buffer) {
  return buffer.byteLength === 0 && /** @type {{ detached?: boolean }} */ (buffer).detached === true
}

/**
 * Whether a clone of the object is a plain object. Only the engine knows this for an instance of a class, which may
 * belong to the platform.
 * @param {object} object
 */
function isPlain(object) {
  const proto = Object.getPrototypeOf(object)
  if (proto === Object.prototype && !Object.hasOwn(object, Symbol.toStringTag)) return !isSlotted(object)
  try {
    return Object.getPrototypeOf(cloneByEngine(object)) === Object.prototype
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
 * @returns {import('./kinds').Encoded}
 * @throws DataCloneError for a value that cannot be sent to another machine
 */
function encode(value) {
  const encoder = new Encoder()
  const text = encoder.text(value)
  return { text, parts: encoder.parts }
}

module.exports = { encode }
