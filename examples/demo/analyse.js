'use strict'

// A script task: plain JavaScript, which the main thread can call just as well.

const decoder = new TextDecoder()

/** @typedef {{ lines: number, words: number, distinct: number, top: [string, number][] }} Analysis */

/**
 * Counts the lines and the words (identifiers of code included) of a text, and its most frequent words.
 * @param {Uint8Array} bytes
 * @returns {Analysis}
 */
module.exports = function analyse(bytes) {
  const text = decoder.decode(bytes)
  let lines = 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++
  /** @type {Map<string, number>} */
  const counts = new Map()
  let words = 0
  for (const [word] of text.matchAll(/[\p{L}_$][\p{L}\p{N}_$]*/gu)) {
    counts.set(word, (counts.get(word) ?? 0) + 1)
    words++
  }
  const top = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 20)
  return { lines, words, distinct: counts.size, top }
}
