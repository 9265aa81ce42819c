'use strict'

// Installs what a fresh clone lacks: the development packages and the addon. Does next to nothing if both are there.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { build, orExit, BuildError } = require('../lib/cli/build-addon')
const { platformTuple } = require('../lib/native/platform')

const root = path.join(__dirname, '..')

/** @param {string} file @returns {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>} */
function packagesOf(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).packages
  } catch {
    return {}
  }
}

/**
 * Compares versions, since the times of files in a checkout say nothing. An optional package may be missing: it may be for
 * another platform.
 * @param {string} folder
 */
function isInstalled(folder) {
  const installed = packagesOf(path.join(folder, 'node_modules/.package-lock.json'))
  return Object.entries(packagesOf(path.join(folder, 'package-lock.json'))).every(([place, { version, optional }]) => {
    if (place === '') return true
    return installed[place] === undefined ? optional === true : installed[place].version === version
  })
}

/** Runs the npm that runs this script or, without one, the npm in the path. @param {string[]} args @param {string} cwd */
function npm(args, cwd = root) {
  const own = process.env.npm_execpath
  /** @type {import('node:child_process').SpawnSyncOptions} */
  const options = { cwd, stdio: ['ignore', 'inherit', 'inherit'] }
  return own && /npm-cli\.c?js$/.test(own)
    ? spawnSync(process.execPath, [own, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
}

/** Installs the packages of a folder, unless those of its lock file are there. */
function install(folder = root) {
  if (isInstalled(folder)) return
  const what =
    folder === root
      ? 'the development packages: about a minute, and 300 MB'
      : `what builds ${path.basename(folder)}/: 220 MB`
  console.log(`Installing ${what} in node_modules ...`)
  // Our own install script is the build, which runs later, with its output shown. No other package needs its script.
  const { status, error } = npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder)
  if (status !== 0) throw new BuildError(`npm ci failed (${error?.message ?? `exit code ${status}`})`)
}

function isBuilt() {
  return fs.existsSync(path.join(root, `rspool.${platformTuple()}.node`))
}

function checkNode() {
  const { engines } = require('../package.json')
  const least = Number(/\d+/.exec(engines.node)?.[0])
  if (Number.parseInt(process.versions.node, 10) < least) {
    throw new BuildError(`rspool needs Node.js ${least} or newer; this is ${process.version}`)
  }
}

function setup() {
  orExit(() => {
    checkNode()
    install()
    if (!isBuilt()) console.log('Building the addon with cargo: some minutes the first time, seconds from then on ...')
    build(process.env.CI ? ['--locked'] : [])
  })
}

module.exports = { setup, install, npm, root }
