'use strict'

// JSON of texts, numbers, null, and lists of these. Unlike JSON.stringify it calls no `toJSON` that a program has given to the
// prototype of texts or arrays, and what is written can always be read.

const { charCodeAt, isArray, numberText, sliceText } = require('../native/primordials')

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Undefined becomes null, as in a list. @typedef {string | number | boolean | null | undefined | readonly unknown[]} Listed */

/** @param {string} text */
function quoted(text) {
  let all = '"'
  let done = 0
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt(text, i)
    if (code >= 0x20 && code < 0x7f && code !== QUOTE && code !== BACKSLASH) continue
    all += `${sliceText(text, done, i)}\\u${sliceText(`000${numberText(code, 16)}`, -4)}`
    done = i + 1
  }
  return `${all}${sliceText(text, done)}"`
}

/**
 * @param {Listed} value
 * @returns {string}
 */
function jsonOf(value) {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') return numberText(value, 10)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (!isArray(value)) return 'null'
  let all = '['
  for (let i = 0; i < value.length; i++) all += (i === 0 ? '' : ',') + jsonOf(/** @type {Listed} */ (value[i]))
  return `${all}]`
}

module.exports = { jsonOf }
