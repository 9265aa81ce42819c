'use strict'

// Checks the licences of everything that ships against the list in deny.toml, offline. `cargo deny check` checks more
// (advisories, sources), but must be installed, and online.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { packageFolders } = require('./packages')

const root = path.join(__dirname, '..')

/** The `allow` list of the [licenses] table. */
function allowed() {
  const toml = fs.readFileSync(path.join(root, 'deny.toml'), 'utf8')
  const list = /\[licenses\][^[]*?\ballow\s*=\s*\[([^\]]*)\]/.exec(toml)?.[1] ?? ''
  return new Set(Array.from(list.matchAll(/"([^"]+)"/g), ([, id]) => id))
}

/**
 * Whether the allowed licences satisfy an SPDX expression. AND binds closer than OR; a slash is the old way to write OR.
 * @param {string} expression
 * @param {Set<string>} allow
 */
function isMet(expression, allow) {
  const tokens = expression.replaceAll('/', ' OR ').match(/[()]|[^\s()]+/g) ?? []
  let at = 0
  /** @returns {boolean} */
  const any = () => {
    let met = all()
    while (tokens[at] === 'OR') {
      at++
      met = all() || met
    }
    return met
  }
  const all = () => {
    let met = one()
    while (tokens[at] === 'AND') {
      at++
      met = one() && met
    }
    return met
  }
  const one = () => {
    if (tokens[at] === '(') {
      at++
      const met = any()
      at++
      return met
    }
    let id = tokens[at++] ?? ''
    if (tokens[at] === 'WITH') {
      id = `${id} WITH ${tokens[at + 1]}`
      at += 2
    }
    return allow.has(id)
  }
  return any() && at === tokens.length
}

/** @param {string} cwd the folder of a workspace */
function crates(cwd) {
  const args = ['metadata', '--format-version=1', '--locked', '--all-features']
  const { status, stdout, stderr } = spawnSync('cargo', args, { cwd, encoding: 'utf8', maxBuffer: Infinity })
  if (status !== 0) throw new Error(`cargo metadata failed: ${stderr}`)
  /** @type {{ name: string, version: string, license: string | null }[]} */
  const packages = JSON.parse(stdout).packages
  return packages.map(({ name, version, license }) => ({ name: `${name} ${version}`, license: license ?? '' }))
}

/** The packages that `npm install rspool` brings, and so no development packages. */
function npmPackages() {
  const { packages } = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8'))
  return Object.entries(packages)
    .filter(([place, entry]) => place !== '' && !entry.dev && !entry.devOptional)
    .map(([place, { version, license }]) => ({ name: `${place} ${version}`, license: license ?? '' }))
}

if (require.main === module) {
  const allow = allowed()
  const workspaces = [root, ...packageFolders().map((name) => path.join(root, 'packages', name))]
  const all = [...workspaces.flatMap(crates), ...npmPackages()]
  const refused = all.filter(({ license }) => !isMet(license, allow))
  for (const { name, license } of refused) console.error(`${name}: '${license}' is not met by the list in deny.toml`)
  if (refused.length > 0) process.exit(1)
  console.log(`${all.length} packages, all under an allowed licence`)
}

module.exports = { isMet }
