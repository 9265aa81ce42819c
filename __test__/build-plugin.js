'use strict'

// Builds a plugin for tests (`crates/`).

const { execFileSync } = require('node:child_process')
const path = require('node:path')

const root = path.join(__dirname, '..')

/**
 * @param {string} name of its crate, behind `rspool-`
 * @returns {string} the path of its library
 */
function buildPlugin(name) {
  const locked = process.env.CI ? ['--locked'] : []
  const args = ['build', '--package', `rspool-${name}`, '--message-format', 'json', '--quiet', ...locked]
  const told = execFileSync('cargo', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  const artifacts = told
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  const { filenames } = artifacts.findLast(({ target }) => target?.name === `rspool_${name}`)
  return filenames.find((/** @type {string} */ file) => /\.(so|dylib|dll)$/.test(file))
}

module.exports = { buildPlugin }
