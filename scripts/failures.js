'use strict'

// What a step that failed has said of it, to be repeated where a log ends.

/** Lines that are repeated of one step. */
const MOST = 150

/** A line with which ava, cargo or the compiler begin to tell of a failure. */
const begins = /^\s*(?:✘|─$|Uncaught exception in |Unhandled rejection in |failures:$|error(?:\[\w+\])?: )/u
/** One with which they go on with something else. */
const ends = /^\s*(?:✔|- \[(?:skip|todo)\]|test result: |Running )/u

/** @param {string} output without colours @returns {string[]} the lines that tell of failures; if none does, the last */
function failures(output) {
  const lines = output.trimEnd().split('\n')
  let tells = false
  const telling = lines.filter((line) => {
    const was = tells
    if (begins.test(line)) tells = true
    else if (ends.test(line)) tells = false
    return tells || (was && line.includes('FAILED'))
  })
  return telling.length > 0 ? shortened(telling) : lines.slice(-MOST)
}

/** @param {string[]} lines which failed come first, how much did last */
function shortened(lines) {
  if (lines.length <= MOST) return lines
  const half = MOST / 2
  return [...lines.slice(0, half), `… ${lines.length - MOST} lines more …`, ...lines.slice(-half)]
}

module.exports = { failures, MOST }
