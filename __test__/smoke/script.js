'use strict'

const { isWorkerThread } = require('../../lib/worker/api')

module.exports = ({ a, b }) => a + b
module.exports.square = async (n) => n * n
module.exports.where = () => isWorkerThread
module.exports.fail = () => {
  throw Object.assign(new RangeError('out of range'), { code: 'E_RANGE' })
}
