'use strict'

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { promisify } = require('node:util')
const test = require('ava')
const lock = require('../package-lock.json')
const manifest = require('../package.json')

const root = path.join(__dirname, '..')

test('the lock file carries no download address', (t) => {
  const packages = Object.entries(lock.packages)
  t.true(packages.length > 100)
  t.deepEqual(
    packages.filter(([, entry]) => 'resolved' in entry).map(([name]) => name),
    []
  )
})

test('the package, its lock file and the crate are of one version', (t) => {
  const cargo = fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8')
  t.is(lock.packages[''].version, manifest.version)
  t.is(/^version = "(.+)"/m.exec(cargo)[1], manifest.version)
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
    'lib/load.js',
    'scripts/build.js',
    'scripts/install.js',
    'Cargo.toml',
    'Cargo.lock',
    'build.rs',
    'src/lib.rs',
    'LICENSE'
  ]) {
    t.true(packed.includes(file), `${file} is missing`)
  }
  const kept =
    /^(lib|src|scripts\/(build|install)\.js|(index|worker|piscina)\.(d\.)?(m?js|m?ts)|build\.rs|Cargo\.|package\.json|[A-Z]+(\.md)?$)/
  t.deepEqual(
    packed.filter((file) => !kept.test(file) || file.endsWith('.node')),
    []
  )
})
