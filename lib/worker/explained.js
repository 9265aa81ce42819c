'use strict'

// Adds the task and the place in the value to the error of a value that a worker cannot send.

const { bound } = require('../native/environment')
const { explain } = require('../payload/uncloneable')
const { describeScript } = require('../pool/observe/describe-target')

/**
 * @template T
 * @param {T} error
 * @param {unknown} value
 * @param {'result' | 'items'} what
 * @param {number} target the number of the function that returned the value
 */
function explained(error, value, what, target) {
  return explain(error, value, what, describeScript(bound.target(target)).task)
}

module.exports = { explained }
