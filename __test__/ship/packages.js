'use strict'

// What the specs share: the packages as a release has them, and the tools, both of which `npm test -- ship` puts there.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { platformTuple } = require('../../lib/native/platform')
const { platforms } = require('../../scripts/release/targets')
const { toolsOf } = require('../../scripts/tools')
const version = require('../../lib/version')
const { directory } = require('../helpers')

const PACKED = path.join(__dirname, '..', '..', '.cache', 'packed')
const TUPLE = platformTuple()
/** Of the packages: that of this platform is whole, the others hold something in place of their addon. */
const NAMES = ['rspool', ...platforms().map(({ tuple }) => `rspool-${tuple}`)]

/** @param {string} name */
function archiveOf(name) {
  return path.join(PACKED, `${name}-${version}.tgz`)
}

/** @param {string} name @param {string} place */
function unpack(name, place) {
  fs.mkdirSync(place, { recursive: true })
  execFileSync('tar', ['-xzf', archiveOf(name), '--strip-components=1', '-C', place])
}

/**
 * An app with these files, into which the packages are installed as npm would.
 * @param {import('ava').ExecutionContext} t
 * @param {Record<string, string>} files
 * @param {string[]} [names]
 */
function app(t, files, names = ['rspool', `rspool-${TUPLE}`]) {
  const dir = directory(t, { 'package.json': '{ "name": "app", "private": true }', ...files })
  for (const name of names) unpack(name, path.join(dir, 'node_modules', name))
  return dir
}

/** A file of a tool. @param {string} file */
function tool(file) {
  return path.join(toolsOf('ship'), 'node_modules', file)
}

module.exports = { PACKED, TUPLE, NAMES, archiveOf, unpack, app, tool }
