'use strict'

// Objects and lists with buffers or shared maps among their members, to and from native tasks. A record is a head and
// parts. The head is JSON: `value` is the whole with 0 in place of each part, and `parts` has the path and the tag of
// each part.
// `src/native/record.rs` is the other end.

const { invalidArgument } = require('../errors')
const { BigIntOf, parseJson, sliceText, utf8Slice } = require('../native/primordials')
const { TAG } = require('../native/wire')
const { jsonOf } = require('./json')

/**
 * A part with bytes, or a shared map: its tag, its form, and its bytes or the number of the map.
 * @typedef {{ tag: number, form: number, bytes: ArrayBufferView | number }} Part
 */

/**
 * The argument of a native call for a record: the head, and the tag, the form and the bytes of each part.
 * @typedef {(ArrayBufferView | number)[]} Parts
 */

/**
 * @typedef {object} Reading
 * @property {(member: object) => Part | undefined} partOf a member, if it has bytes or is a shared map
 * @property {(value: unknown) => string} toJson
 */

/** The deepest nesting of members: as deep as the other end reads. */
const MOST_DEEP = 100

/**
 * @param {object} value
 * @param {Reading} reading
 * @returns {Parts | undefined} undefined if no member has bytes or is a map
 */
function encodeRecord(value, reading) {
  if (!hasBytes(value, reading, 0)) return undefined
  const writer = new Writer(reading)
  const whole = writer.write(value)
  const head = Buffer.from(`{"value":${whole},"parts":${jsonOf(writer.named)}}`)
  return [head, ...writer.parts.flatMap(({ tag, form, bytes }) => [tag, form, bytes])]
}

/**
 * @param {object} value
 * @param {Reading} reading
 * @param {number} depth
 * @returns {boolean}
 */
function hasBytes(value, reading, depth) {
  if (depth === MOST_DEEP) return false
  const members = Array.isArray(value) ? value : isPlain(value) ? Object.values(value) : []
  return members.some(
    (member) =>
      typeof member === 'object' &&
      member !== null &&
      (reading.partOf(member) !== undefined || hasBytes(member, reading, depth + 1))
  )
}

/** Writes the head of a record, and keeps its parts. */
class Writer {
  /** The parts by path and tag. Parts without bytes have their text, too. @type {import('./json').Listed[]} */
  named = []
  /** The parts with bytes. @type {Part[]} */
  parts = []
  /** @type {(string | number)[]} */
  #path = []
  #reading

  /** @param {Reading} reading */
  constructor(reading) {
    this.#reading = reading
  }

  /**
   * @param {unknown} value
   * @returns {string} JSON
   */
  write(value) {
    switch (typeof value) {
      case 'undefined':
        return this.#name(TAG.UNDEFINED, '')
      case 'number':
        if (!Number.isFinite(value)) return this.#name(TAG.NUMBER, String(value))
        return Object.is(value, -0) ? '-0.0' : String(value)
      case 'bigint':
        return this.#name(TAG.BIGINT, value.toString(16))
      case 'function':
      case 'symbol':
        throw new DOMException(`${String(value)} could not be cloned.`, 'DataCloneError')
      case 'object':
        return value === null ? 'null' : this.#writeObject(value)
      default:
        return typeof value === 'string' ? jsonOf(value) : String(value)
    }
  }

  /** @param {object} value */
  #writeObject(value) {
    const part = this.#reading.partOf(value)
    if (part !== undefined) {
      this.parts.push(part)
      return this.#name(part.tag)
    }
    if (this.#path.length === MOST_DEEP)
      throw invalidArgument(
        `The input of a native task must be plain data: it is circular, or deeper than ${MOST_DEEP} levels`
      )
    if (Array.isArray(value)) return `[${Array.from(value, (item, index) => this.#at(index, item)).join()}]`
    if (!isPlain(value)) return this.#reading.toJson(value)
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    return `{${members.map(([name, member]) => `${jsonOf(name)}:${this.#at(name, member)}`).join()}}`
  }

  /**
   * @param {string | number} step
   * @param {unknown} member
   */
  #at(step, member) {
    this.#path.push(step)
    const text = this.write(member)
    this.#path.pop()
    return text
  }

  /**
   * @param {number} tag
   * @param {string} [text] the value of a part without bytes
   */
  #name(tag, text) {
    this.named.push(text === undefined ? [[...this.#path], tag] : [[...this.#path], tag, text])
    return '0'
  }
}

/** @param {object} value */
function isPlain(value) {
  const prototype = Object.getPrototypeOf(value)
  const plain = prototype === Object.prototype || prototype === null
  return plain && typeof (/** @type {{ toJSON?: unknown }} */ (value).toJSON) !== 'function'
}

/**
 * Makes the record of a head and the parts behind it. No code of the user runs here: each assignment is to a property
 * that JSON has made.
 * @param {Buffer} head
 * @param {(tag: number) => unknown} nextPart the value of the next part
 */
function decodeRecord(head, nextPart) {
  const { value, parts } = parseJson(utf8Slice(head, 0, head.length))
  for (let i = 0; i < parts.length; i++) {
    const path = parts[i][0]
    const tag = parts[i][1]
    const text = parts[i][2]
    let at = value
    for (let k = 0; k < path.length - 1; k++) at = at[path[k]]
    at[path[path.length - 1]] = text === undefined ? nextPart(tag) : small(tag, text)
  }
  return value
}

/**
 * A value that is too small for a part with bytes.
 * @param {number} tag
 * @param {string} text
 */
function small(tag, text) {
  if (tag === TAG.NUMBER) return +text
  return tag === TAG.BIGINT ? bigInt(text) : undefined
}

/** @param {string} digits hexadecimal, with a sign if the number is negative */
function bigInt(digits) {
  return digits[0] === '-' ? -BigIntOf(`0x${sliceText(digits, 1)}`) : BigIntOf(`0x${digits}`)
}

module.exports = { encodeRecord, decodeRecord, bigInt }
