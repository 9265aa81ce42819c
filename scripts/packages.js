'use strict'

// The packages in `packages/`: separate crates, as `rspool new-task` makes them. They find this package as if it were
// installed.

const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')
const packages = path.join(root, 'packages')

/** The names of the packages' folders. @returns {string[]} */
function packageFolders() {
  if (!fs.existsSync(packages)) return []
  return fs.readdirSync(packages).filter((name) => fs.existsSync(path.join(packages, name, 'Cargo.toml')))
}

/** Makes `require('rspool')` in the packages find this package. */
function linkRoot() {
  const link = path.join(packages, 'node_modules', 'rspool')
  if (fs.existsSync(link)) return
  fs.mkdirSync(path.dirname(link), { recursive: true })
  fs.rmSync(link, { force: true })
  fs.symlinkSync(root, link, 'junction')
}

if (require.main === module) linkRoot()

module.exports = { packageFolders, linkRoot }
