'use strict'

// Packages to compare with that the project does not depend on. They are found where this installs them:
//   npm install --no-save --prefix bench/.peers sharp @napi-rs/image nodejs-polars papaparse lz4-napi

const { createRequire } = require('node:module')
const path = require('node:path')

const find = createRequire(path.join(__dirname, '..', '.peers', 'index.js'))
/** @type {Set<string>} */
const missing = new Set()

/** The package, if it is installed. @param {string} name @returns {any} */
function installed(name) {
  try {
    return find(name)
  } catch {
    missing.add(name)
    return undefined
  }
}

/** Which packages were asked for in vain, as a sentence, or an empty one. */
function notInstalled() {
  return missing.size === 0 ? '' : `Not installed, so not compared with: ${[...missing].join(', ')}.`
}

module.exports = { installed, notInstalled }
