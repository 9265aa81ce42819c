'use strict'

// The addon, and the files that threads start from, stay files: if a bundler takes them in, an error says to leave rspool
// out.

/** The advice. */
const LEAVE_OUT =
  "leave rspool out of it, as an external package that is installed where the app runs (esbuild: external: ['rspool']; others: docs/bundlers.md)"

/**
 * The advice to add to an error of a thread: not empty if the thread's own file, or a file that it loads, is missing.
 * @param {unknown} error
 * @param {string} file that the thread starts from
 */
function adviceFor(error, file) {
  const { code, message } = /** @type {{ code?: unknown, message?: unknown }} */ (error ?? {})
  if (code !== 'MODULE_NOT_FOUND' || typeof message !== 'string') return ''
  // The message's third line is the first of its stack of requires.
  const [first, , from] = message.split('\n')
  return first.includes(file) || from === `- ${file}` ? `\nIn a bundle: ${LEAVE_OUT}` : ''
}

module.exports = { LEAVE_OUT, adviceFor }
