'use strict'

module.exports = require('./lib/bullmq')
