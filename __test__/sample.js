'use strict'

// The plugin for tests (`crates/sample`), built.

const { buildPlugin } = require('./build-plugin')

module.exports = { sample: buildPlugin('sample') }
