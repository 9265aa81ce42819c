'use strict'

const path = require('node:path')

module.exports = require(path.join(__dirname, '..', `rspool.${process.platform}-${process.arch}-gnu.node`))
