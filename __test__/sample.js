'use strict'

// The plugin for tests (`crates/sample`), built.

const { execFileSync } = require('node:child_process')
const path = require('node:path')

const root = path.join(__dirname, '..')

/** @returns {string} the path of its library */
function buildSample() {
  const locked = process.env.CI ? ['--locked'] : []
  const args = ['build', '--package', 'rspool-sample', '--message-format', 'json', '--quiet', ...locked]
  const told = execFileSync('cargo', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  const artifacts = told
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  const { filenames } = artifacts.findLast(({ target }) => target?.name === 'rspool_sample')
  return filenames.find((/** @type {string} */ file) => /\.(so|dylib|dll)$/.test(file))
}

module.exports = { sample: buildSample() }
