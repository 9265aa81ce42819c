'use strict'

// What a regular expression is, whatever a program has put in the place of its properties.

/** @param {string} name */
const getter = (name) => /** @type {() => unknown} */ (Object.getOwnPropertyDescriptor(RegExp.prototype, name)?.get)
const source = getter('source')
/** @type {[flag: string, isSet: () => unknown][]} */
const flags = [
  ['d', getter('hasIndices')],
  ['g', getter('global')],
  ['i', getter('ignoreCase')],
  ['m', getter('multiline')],
  ['s', getter('dotAll')],
  ['u', getter('unicode')],
  ['v', getter('unicodeSets')],
  ['y', getter('sticky')]
]

/**
 * @param {object} pattern
 * @returns {string}
 */
function sourceOf(pattern) {
  return /** @type {string} */ (source.call(pattern))
}

/** @param {object} pattern */
function flagsOf(pattern) {
  let set = ''
  for (const [flag, isSet] of flags) if (isSet?.call(pattern)) set += flag
  return set
}

module.exports = { sourceOf, flagsOf }
