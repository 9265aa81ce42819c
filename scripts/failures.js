'use strict'

// The lines in which a failed step says what failed. They are repeated at the end of the log.

/** The most lines that are repeated per step. */
const MOST = 150

/** A line with which ava, cargo or the compiler begins to report a failure. */
const begins = /^\s*(?:✘|─$|Uncaught exception in |Unhandled rejection in |failures:$|error(?:\[\w+\])?: )/u
/** A line with which such a report ends. */
const ends = /^\s*(?:✔|- \[(?:skip|todo)\]|test result: |Running )/u

/** @param {string} output without colours @returns {string[]} the lines that report failures; if none does, the last lines */
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

/** @param {string[]} lines the first ones say which test failed, the last ones how many did */
function shortened(lines) {
  if (lines.length <= MOST) return lines
  const half = MOST / 2
  return [...lines.slice(0, half), `… ${lines.length - MOST} lines more …`, ...lines.slice(-half)]
}

module.exports = { failures, MOST }
