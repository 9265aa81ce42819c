'use strict'

const { Fleet } = require('./fleet')

module.exports = { Fleet }
