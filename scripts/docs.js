'use strict'

// `npm run docs`: builds the site of the documentation into site/.vitepress/dist, from the pages of docs/ and from the
// declarations, which become the API reference. `npm run docs -- preview` serves the built site. The tools have a package
// of their own, in site/, so that `npm install` of the project need not bring them.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { install, root } = require('./setup')

const site = path.join(root, 'site')
const pages = path.join(site, 'pages')
const dist = path.join(site, '.vitepress', 'dist')

/** @param {string} file @param {string[]} args */
function tool(file, ...args) {
  const script = path.join(site, 'node_modules', file)
  const { status, error } = spawnSync(process.execPath, [script, ...args], { cwd: site, stdio: 'inherit' })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}

function build() {
  // The site's own copy, so that generated pages are not among those that people write.
  fs.rmSync(pages, { recursive: true, force: true })
  fs.cpSync(path.join(root, 'docs'), pages, { recursive: true })
  tool('typedoc/bin/typedoc', '--options', 'typedoc.json')
  tool('vitepress/bin/vitepress.js', 'build')
  console.log(`The site is in ${path.relative(process.cwd(), dist)}; npm run docs -- preview serves it.`)
}

/** @param {string} [command] */
function main(command = 'build') {
  if (command !== 'build' && command !== 'preview') {
    console.error('Usage: npm run docs -- [build | preview]')
    process.exit(1)
  }
  install(site)
  if (command === 'build') build()
  else tool('vitepress/bin/vitepress.js', 'preview')
}

if (require.main === module) main(process.argv[2])

module.exports = { dist }
