'use strict'

module.exports = require('./lib/fleet')
