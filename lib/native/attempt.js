'use strict'

const { RspoolError } = require('../errors')

/**
 * Makes or opens memory that processes share. If the system refuses, an error of this package is thrown.
 * @template T
 * @param {() => T} make
 * @returns {T}
 */
function attempt(make) {
  try {
    return make()
  } catch (error) {
    throw new RspoolError('ERR_RSPOOL_REGION', /** @type {Error} */ (error).message, { cause: error })
  }
}

module.exports = { attempt }
