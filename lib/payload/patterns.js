'use strict'

// The source and flags of a regular expression, whatever a program has put in place of its properties.

const { patternFlags, patternSource: sourceOf } = require('../native/primordials')

/** @param {object} pattern */
function flagsOf(pattern) {
  let set = ''
  for (const [flag, isSet] of patternFlags) if (isSet?.(pattern)) set += flag
  return set
}

module.exports = { sourceOf, flagsOf }
