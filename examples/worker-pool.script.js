'use strict'

// The script of worker-pool.js: it runs in the pool's isolates.

/** @param {unknown} text */
function countWords(text) {
  if (typeof text !== 'string') {
    throw Object.assign(new TypeError(`a text is needed, not a ${typeof text}`), { code: 'NO_TEXT' })
  }
  const words = text.split(/\s+/)
  return { words: words.length, distinct: new Set(words).size }
}

/** @param {string[]} texts */
countWords.longest = (texts) => texts.reduce((a, b) => (b.length > a.length ? b : a))

module.exports = countWords
