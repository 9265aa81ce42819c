'use strict'

// What a regular expression is, whatever a program has put in the place of its properties.

const { patternFlags, patternSource: sourceOf } = require('../native/primordials')

/** @param {object} pattern */
function flagsOf(pattern) {
  let set = ''
  for (const [flag, isSet] of patternFlags) if (isSet?.(pattern)) set += flag
  return set
}

module.exports = { sourceOf, flagsOf }
