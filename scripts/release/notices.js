'use strict'

// The third-party notices: the licence texts of all crates that are linked into the addon, and of Rust's own library.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { linkedCrates, root } = require('./crates')

const LICENCE_FILE = /^(licen[sc]e|copying|copyright|notice|unlicense)/i

/** @typedef {{ title: string, texts: string[] }} Notice */

/** The different texts of the licence files in a folder. @param {string} folder */
function textsIn(folder) {
  const files = fs.readdirSync(folder, { withFileTypes: true }).filter((file) => file.isFile())
  const texts = files
    .filter(({ name }) => LICENCE_FILE.test(name) && !/\.(html?|toml|json|rs)$/i.test(name))
    .map(({ name }) => fs.readFileSync(path.join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim())
  return [...new Set(texts.filter(Boolean))].sort()
}

/** The MIT licence of other copyright holders. @param {string} holders */
function mit(holders) {
  const own = fs.readFileSync(path.join(root, 'LICENSE'), 'utf8').trim()
  return own.replace(/^Copyright.*$/m, () => `Copyright (c) ${holders}`)
}

/** The notice of Rust's own library. Not every toolchain brings its licence. @returns {Notice} */
function ofRust() {
  const version = execFileSync('rustc', ['--version'], { encoding: 'utf8' }).trim()
  const more = 'The crates in it, under the same terms, are listed in COPYRIGHT-library.html of the toolchain.'
  const text = `${mit('The Rust Project Developers (see https://thanks.rust-lang.org)')}\n\n${more}`
  return { title: `The Rust standard library (${version}), MIT OR Apache-2.0`, texts: [text] }
}

/** @param {import('./crates').Crate} crate @returns {Notice} */
function ofCrate({ name, version, license, authors, manifest_path: manifest }) {
  const texts = textsIn(path.dirname(manifest))
  // Some packages leave out the licence file.
  if (texts.length === 0 && license?.includes('MIT')) texts.push(mit(authors.join(', ') || `the authors of ${name}`))
  if (texts.length === 0) throw new Error(`the package of ${name} ${version} has no text of its licence (${license})`)
  return { title: `${name} ${version}, ${license}`, texts }
}

/** @param {string[]} targets @returns {Notice[]} */
function notices(targets) {
  const crates = new Map(targets.flatMap(linkedCrates).map((crate) => [crate.id, crate]))
  return [ofRust(), ...[...crates.values()].map(ofCrate)]
}

/** Each licence text appears once, under the titles of all crates that have it. @param {string[]} targets as Rust names them */
function noticesText(targets) {
  /** @type {Map<string, string[]>} */
  const titles = new Map()
  for (const { title, texts } of notices(targets)) {
    for (const text of texts) titles.set(text, [...(titles.get(text) ?? []), title])
  }
  const parts = [...titles].map(([text, under]) => `${under.join('\n')}\n\n${text}\n`)
  return `The addon of rspool contains the following software, under these licences.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`
}

module.exports = { noticesText }
