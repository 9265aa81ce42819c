'use strict'

// One CPU budget for all pools of a process outside of a cluster.

const { bound } = require('../native/environment')
const { RspoolError } = require('../errors')
const native = require('../native/load')
const { integer } = require('./options/validate')

const MOST = 4096

/**
 * @param {number} [busy]
 * @returns {boolean}
 */
function shareCpu(busy = bound.cpuCount()) {
  integer(1, MOST)(busy, 'shareCpu: the number of busy workers')
  if (native.shareCpu === undefined)
    throw new RspoolError('ERR_RSPOOL_UNSUPPORTED', `shareCpu() works on Linux and macOS, not on ${process.platform}`)
  return native.shareCpu(busy)
}

module.exports = { shareCpu }
