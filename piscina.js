'use strict'

module.exports = require('./lib/piscina')
