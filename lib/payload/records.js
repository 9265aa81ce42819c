'use strict'

// Objects and lists with buffers among their members, for native tasks and from them. A record is a head and parts; the
// head is JSON: `value`, the whole with 0 in the place of each part, and `parts`, each by its path and its tag.
// `src/native/record.rs` is the other end.

const { BigIntOf, parseJson, sliceText, utf8Slice } = require('../native/primordials')
const { TAG } = require('../native/wire')

/**
 * A part of a record: its name or index, its tag and form, and the bytes.
 * @typedef {{ name: string | number, tag: number, form: number, bytes: ArrayBufferView }} Part
 */

/**
 * What a native call takes for a record: the head, and the tag, the form and the bytes of each part.
 * @typedef {(ArrayBufferView | number)[]} Parts
 */

/**
 * @param {object} value
 * @param {(member: object) => Omit<Part, 'name'> | undefined} partOf a member, if it has bytes
 * @param {(value: unknown) => string} toJson
 * @returns {Parts | undefined} nothing if it is no plain object or list, or no member has bytes
 */
function encodeRecord(value, partOf, toJson) {
  const members = membersOf(value)
  if (members === undefined) return undefined
  /** @type {Part[]} */
  const parts = []
  const found = members.map(([name, member]) => {
    const part = typeof member === 'object' && member !== null ? partOf(member) : undefined
    if (part !== undefined) parts.push({ name, ...part })
    return part !== undefined
  })
  if (parts.length === 0) return undefined
  const texts = members.map(([name, member], index) => {
    const text = found[index] ? '0' : toJson(member)
    return typeof name === 'number' ? text : `${JSON.stringify(name)}:${text}`
  })
  const whole = Array.isArray(value) ? `[${texts.join()}]` : `{${texts.join()}}`
  const named = JSON.stringify(parts.map(({ name, tag }) => [[name], tag]))
  return [
    Buffer.from(`{"value":${whole},"parts":${named}}`),
    ...parts.flatMap(({ tag, form, bytes }) => [tag, form, bytes])
  ]
}

/**
 * @param {object} value
 * @returns {[name: string | number, member: unknown][] | undefined}
 */
function membersOf(value) {
  if (Array.isArray(value)) return Array.from(value, (member, index) => [index, member])
  if (!isPlain(value)) return undefined
  return Object.entries(value).filter(([, member]) => isJson(member))
}

/** @param {unknown} member what of an object JSON leaves out is not */
function isJson(member) {
  return member !== undefined && typeof member !== 'function' && typeof member !== 'symbol'
}

/** @param {object} value */
function isPlain(value) {
  const prototype = Object.getPrototypeOf(value)
  const plain = prototype === Object.prototype || prototype === null
  return plain && typeof (/** @type {{ toJSON?: unknown }} */ (value).toJSON) !== 'function'
}

/**
 * The record of a head, and of the parts behind it. Nothing of a user's runs here: all that is assigned is there
 * already, as JSON has made it.
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
 * What is too small for a part of its own.
 * @param {number} tag
 * @param {string} text
 */
function small(tag, text) {
  if (tag === TAG.NUMBER) return +text
  return tag === TAG.BIGINT ? bigInt(text) : undefined
}

/** @param {string} digits hexadecimal, with a sign where the number is negative */
function bigInt(digits) {
  return digits[0] === '-' ? -BigIntOf(`0x${sliceText(digits, 1)}`) : BigIntOf(`0x${digits}`)
}

module.exports = { encodeRecord, decodeRecord, bigInt }
