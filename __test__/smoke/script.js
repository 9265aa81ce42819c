'use strict'

const { isWorkerThread } = require('rspool/worker')

module.exports = ({ a, b }) => a + b
module.exports.square = async (n) => n * n
module.exports.where = () => isWorkerThread
module.exports.fail = () => {
  throw Object.assign(new RangeError('out of range'), { code: 'E_RANGE' })
}
