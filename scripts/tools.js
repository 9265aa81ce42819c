'use strict'

// Installs the packages that the specs of a part need besides those of the project, from __test__/<part>/package.json into
// .cache/<part>. So a fresh clone stays small, and these packages do not change those of the project.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { orExit, BuildError } = require('../lib/cli/build-addon')
const { npm, root } = require('./setup')

/** @param {string} part */
function toolsOf(part) {
  return path.join(root, '.cache', part)
}

/** @param {string} file */
function textOf(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''
}

/** @param {string} part */
function installTools(part) {
  const [from, to] = [path.join(root, '__test__', part), toolsOf(part)]
  const files = ['package.json', 'package-lock.json']
  const asked = files.map((file) => textOf(path.join(from, file))).join()
  const stamp = path.join(to, 'installed')
  if (textOf(stamp) === asked) return
  console.log(`Installing the tools of ${part} into ${path.relative(root, to)} ...`)
  fs.mkdirSync(to, { recursive: true })
  for (const file of [...files, '.npmrc']) {
    const source = path.join(file === '.npmrc' ? root : from, file)
    if (fs.existsSync(source)) fs.copyFileSync(source, path.join(to, file))
  }
  const options = ['--prefix', to, '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  if (npm(['install', ...options]).status !== 0) throw new BuildError(`npm install of the tools of ${part} failed`)
  fs.writeFileSync(stamp, asked)
}

/** Puts the package, as npm packs it here and with its addon, into the node_modules of the tools. @param {string} part */
function installPackage(part) {
  const to = toolsOf(part)
  const place = path.join(to, 'node_modules', 'rspool')
  for (const file of fs.readdirSync(to)) if (file.endsWith('.tgz')) fs.rmSync(path.join(to, file))
  npm(['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', to])
  const archive = fs.readdirSync(to).find((file) => file.endsWith('.tgz'))
  if (archive === undefined) throw new BuildError('npm pack made no archive')
  fs.rmSync(place, { recursive: true, force: true })
  fs.mkdirSync(place, { recursive: true })
  const { status } = spawnSync('tar', ['-xzf', path.join(to, archive), '--strip-components=1', '-C', place])
  if (status !== 0) throw new BuildError(`tar cannot unpack ${archive}`)
}

if (require.main === module) {
  const [part, ...rest] = process.argv.slice(2)
  orExit(() => {
    installTools(part)
    if (rest.includes('--package')) installPackage(part)
  })
}

module.exports = { toolsOf }
