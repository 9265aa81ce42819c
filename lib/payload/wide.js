'use strict'

// Finds texts with characters of two bytes.

const { charCodeAt } = require('../native/primordials')

/** How many characters are tested for whether a text has wide ones. */
const SAMPLE = 64

/**
 * Whether a text has a wide character near its start. Most texts that have any do, and need no search to their end.
 * @param {string} text
 */
function beginsWide(text) {
  const sample = Math.min(text.length, SAMPLE)
  for (let i = 0; i < sample; i++) if (charCodeAt(text, i) > 255) return true
  return false
}

module.exports = { beginsWide }
