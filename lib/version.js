'use strict'

// The version of the package, as in package.json: not every loader and bundler can require JSON. A test compares them.

module.exports = '0.1.0'
