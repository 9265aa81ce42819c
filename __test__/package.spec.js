'use strict'

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { promisify } = require('node:util')
const test = require('ava')
const lock = require('../package-lock.json')
const manifest = require('../package.json')
const declared = require('./types/exports')

const root = path.join(__dirname, '..')

test('the lock file carries no download address', (t) => {
  const packages = Object.entries(lock.packages)
  t.true(packages.length > 100)
  t.deepEqual(
    packages.filter(([, entry]) => 'resolved' in entry).map(([name]) => name),
    []
  )
})

/** Where a package at `place` finds `name`, as Node resolves it. */
function found(place, name) {
  const folders = place.split('/node_modules/')
  for (let depth = folders.length; depth >= 0; depth--) {
    const parent = folders.slice(0, depth).join('/node_modules/')
    if (lock.packages[`${parent && `${parent}/`}node_modules/${name}`]) return true
  }
  return false
}

test('the lock file is complete, with the packages of every platform', (t) => {
  const missing = []
  for (const [place, { dependencies, optionalDependencies }] of Object.entries(lock.packages)) {
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (!found(place, name)) missing.push(`${name}, for ${place}`)
    }
  }
  t.deepEqual(missing, [])
})

test('the package, its lock file and the crate are of one version', (t) => {
  const cargo = fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8')
  t.is(lock.packages[''].version, manifest.version)
  t.is(/^version = "(.+)"/m.exec(cargo)[1], manifest.version)
  t.is(require('../lib/version'), manifest.version)
})

test('the optional packages of a release are not in the repository', (t) => {
  t.is(manifest.optionalDependencies, undefined)
})

test('what is packed can be run and built, and holds nothing else', async (t) => {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    shell: process.platform === 'win32'
  })
  const [{ files }] = JSON.parse(stdout)
  const packed = files.map(({ path }) => path)
  for (const file of [
    'lib/native/load.js',
    'lib/cli/main.js',
    'lib/cli/commands/build.js',
    'Cargo.toml',
    'Cargo.lock',
    'build.rs',
    'src/lib.rs',
    'LICENSE'
  ]) {
    t.true(packed.includes(file), `${file} is missing`)
  }
  const folders = manifest.files.flatMap((file) => (file.endsWith('/') && !file.startsWith('!') ? [file] : []))
  const isTest = (file) => /(^|\/)(tests?\/|tests\.rs$)|\.spec\./.test(file)
  // The addon of a git dependency is in it; a release is packed where there is none.
  const atTop = /^([a-z.-]+\.(d\.)?[mc]?[jt]s|rspool\..+\.node|build\.rs|Cargo\..+|package\.json|[A-Z]+(\.md)?)$/
  t.deepEqual(
    packed.filter((file) => isTest(file) || !(atTop.test(file) || folders.some((folder) => file.startsWith(folder)))),
    []
  )
})

test('no script runs where the package is installed from a registry', (t) => {
  for (const script of ['preinstall', 'install', 'postinstall']) t.is(manifest.scripts[script], undefined)
})

test('what is imported is what is required', async (t) => {
  for (const entry of ['rspool', 'rspool/worker', 'rspool/fleet', 'rspool/bullmq']) {
    const names = Object.keys(require(entry))
    const namespace = await import(entry)
    // Some versions of Node.js name the object as well.
    const there = Object.keys(namespace).filter((name) => name !== 'module.exports')
    t.deepEqual(there.sort(), [...names, 'default'].sort(), entry)
    for (const name of names) t.is(namespace[name], namespace.default[name])
  }
})

test('the entries export what their declarations say', (t) => {
  t.deepEqual(Object.keys(require('rspool')).sort(), declared.main)
  t.deepEqual(Object.keys(require('rspool').errors).sort(), declared.errors)
  t.deepEqual(Object.keys(require('rspool/worker')).sort(), declared.worker)
})
