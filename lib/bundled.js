'use strict'

// The addon, and the files that threads start from, stay files: a bundler that takes them in is told to leave rspool out.

/** What to do about it. */
const LEAVE_OUT =
  "leave rspool out of it, as an external package that is installed where the app runs (esbuild: external: ['rspool']; others: docs/bundlers.md)"

/**
 * What to say beside an error of a thread: something if the thread's own file, or what that file loads, is not there.
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
