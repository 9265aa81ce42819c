'use strict'

// The crates that are linked into the addon. The notices and the bill of materials list them.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')

/** @typedef {{ id: string, name: string, version: string, license: string | null, repository: string | null, authors: string[], manifest_path: string, targets: { kind: string[] }[] }} Crate */
/** @typedef {{ id: string, deps: { pkg: string, dep_kinds: { kind: string | null }[] }[] }} Node */

/** @param {string} target as Rust names it @returns {{ packages: Crate[], resolve: { root: string, nodes: Node[] } }} */
function metadata(target) {
  const args = ['metadata', '--format-version=1', '--locked', '--filter-platform', target]
  return JSON.parse(execFileSync('cargo', args, { cwd: root, encoding: 'utf8', maxBuffer: Infinity }))
}

/**
 * The linked crates, without the package itself, build dependencies and macros.
 * @param {string} target
 * @returns {(Crate & { checksum: string | undefined })[]}
 */
function linkedCrates(target) {
  const { packages, resolve } = metadata(target)
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]))
  const crates = new Map(packages.map((crate) => [crate.id, crate]))
  const linked = new Set()
  const follow = (/** @type {string} */ id) => {
    const crate = crates.get(id)
    if (linked.has(id) || crate?.targets.some(({ kind }) => kind.includes('proc-macro'))) return
    linked.add(id)
    for (const { pkg, dep_kinds: kinds } of nodes.get(id)?.deps ?? []) {
      if (kinds.some(({ kind }) => kind === null)) follow(pkg)
    }
  }
  follow(resolve.root)
  const checksums = checksumsOf(fs.readFileSync(path.join(root, 'Cargo.lock'), 'utf8'))
  return packages
    .filter(({ id, manifest_path: manifest }) => linked.has(id) && !isOwn(manifest))
    .map((crate) => ({ ...crate, checksum: checksums.get(`${crate.name} ${crate.version}`) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** @param {string} manifest */
function isOwn(manifest) {
  return !path.relative(root, manifest).startsWith('..')
}

/** @param {string} lock */
function checksumsOf(lock) {
  const entry = /^name = "(.+)"\nversion = "(.+)"\nsource = .*\nchecksum = "(.+)"$/gm
  return new Map(Array.from(lock.matchAll(entry), ([, name, version, sum]) => [`${name} ${version}`, sum]))
}

module.exports = { linkedCrates, root }
