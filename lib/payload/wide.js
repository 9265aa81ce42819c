'use strict'

// Which texts have characters of two bytes.

const { charCodeAt } = require('../native/primordials')

/** Characters that tell whether a text is likely to have wide ones. */
const SAMPLE = 64

/**
 * Whether a text has a wide character soon: most that have any do, and need not be searched to their end.
 * @param {string} text
 */
function beginsWide(text) {
  const sample = Math.min(text.length, SAMPLE)
  for (let i = 0; i < sample; i++) if (charCodeAt(text, i) > 255) return true
  return false
}

module.exports = { beginsWide }
