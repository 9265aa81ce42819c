'use strict'

// Decodes an encoding, which comes from another machine and may contain anything.

const { ERRORS, MAX_DEPTH, VIEWS, malformed } = require('./kinds')

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
 * Sets an own property, even if Object.prototype has a property of that name.
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
 * Copies the bytes into an ArrayBuffer of their own.
 * @param {Uint8Array} bytes
 */
function owned({ buffer, byteOffset, byteLength }) {
  if (byteOffset === 0 && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) return buffer
  return buffer.slice(byteOffset, byteOffset + byteLength)
}

/**
 * @param {import('./kinds').Encoded} encoded
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

module.exports = { decode }
