'use strict'

// Reads the JavaScript stack of another thread without stopping it. The thread is asked to evaluate an expression that
// throws. The expression runs on top of the running code, so the trace of the exception has the stack of that code. A
// debugger of the user does not see it, and nothing is left behind in a thread that answers late or never.

const { fileURLToPath } = require('node:url')

const OWN = 'rspool:stack'

/** @typedef {{ functionName: string, url: string, lineNumber: number, columnNumber: number }} Frame */
/** @typedef {{ exceptionDetails?: { stackTrace?: { callFrames: Frame[] } } }} Evaluated */

/** The commands, in order: exceptions have traces only while the domain Runtime is enabled. */
const COMMANDS = /** @type {const} */ ([
  { method: 'Runtime.enable', params: {} },
  { method: 'Runtime.evaluate', params: { expression: `throw 0\n//# sourceURL=${OWN}`, silent: true } },
  { method: 'Runtime.disable', params: {} }
])
/** The index of the command whose answer has the stack. */
const TELLS = 1

/** @param {Frame} frame */
function line({ functionName, url, lineNumber, columnNumber }) {
  const file = url.startsWith('file:') ? fileURLToPath(url) : url || '<anonymous>'
  return `    at ${functionName || '<anonymous>'} (${file}:${lineNumber + 1}:${columnNumber + 1})`
}

/**
 * @param {Evaluated | undefined} answer
 * @returns {string | undefined} empty if the thread runs no JavaScript; undefined if there is no stack in the answer
 */
function stackIn(answer) {
  return answer?.exceptionDetails?.stackTrace?.callFrames
    .filter(({ url }) => url !== OWN)
    .map(line)
    .join('\n')
}

module.exports = { COMMANDS, TELLS, stackIn }
