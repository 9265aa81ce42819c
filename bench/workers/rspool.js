'use strict'

const { move } = require('../../lib/worker/api')

module.exports = (value) => value
module.exports.bounce = (buffer) => move(buffer)
