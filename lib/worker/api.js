'use strict'

// `rspool/worker`

module.exports = require('./host').face()
