'use strict'

// How the JavaScript stack of another thread is read without stopping it. The thread is asked to evaluate an
// expression that throws: this runs on top of what it does, so the trace of that exception has its stack. A debugger
// of the user's does not see it, and nothing is left behind in a thread that answers late, or never.

const { fileURLToPath } = require('node:url')

const OWN = 'rspool:stack'

/** @typedef {{ functionName: string, url: string, lineNumber: number, columnNumber: number }} Frame */
/** @typedef {{ exceptionDetails?: { stackTrace?: { callFrames: Frame[] } } }} Evaluated */

/** In this order: traces are kept for exceptions while the runtime tells of them. */
const COMMANDS = /** @type {const} */ ([
  { method: 'Runtime.enable', params: {} },
  { method: 'Runtime.evaluate', params: { expression: `throw 0\n//# sourceURL=${OWN}`, silent: true } },
  { method: 'Runtime.disable', params: {} }
])
/** Which of them has the stack in its answer. */
const TELLS = 1

/** @param {Frame} frame */
function line({ functionName, url, lineNumber, columnNumber }) {
  const file = url.startsWith('file:') ? fileURLToPath(url) : url || '<anonymous>'
  return `    at ${functionName || '<anonymous>'} (${file}:${lineNumber + 1}:${columnNumber + 1})`
}

/**
 * @param {Evaluated | undefined} answer
 * @returns {string | undefined} empty when the thread runs no JavaScript; undefined when there is no stack in the answer
 */
function stackIn(answer) {
  return answer?.exceptionDetails?.stackTrace?.callFrames
    .filter(({ url }) => url !== OWN)
    .map(line)
    .join('\n')
}

module.exports = { COMMANDS, TELLS, stackIn }
