'use strict'

const { move } = require('piscina')

module.exports = (value) => value
module.exports.bounce = (buffer) => move(buffer)
