'use strict'

// Finds dead links of pages to files and headings, and commands `npm run …` that do not exist. Links to other sites are
// not followed: their contents are not ours, and a test must not need the network.

const fs = require('node:fs')
const path = require('node:path')
const { scripts } = require('../package.json')
const { root, pages, read } = require('../__test__/pages')

/** The ids that a link to a page can name: those that GitHub gives to its headings, and its own. @param {string} text */
function anchors(text) {
  const headings = Array.from(text.matchAll(/^#+ (.+)$/gm), ([, title]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
  )
  return [...headings, ...Array.from(text.matchAll(/<a id="([^"]+)">/g), ([, id]) => id)]
}

/**
 * The links of a page that are dead.
 * @param {string} page
 * @param {string} text
 * @param {(file: string) => string | undefined} textOf gives undefined if there is no such file
 * @returns {string[]}
 */
function deadLinks(page, text, textOf) {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '')
  const links = Array.from(prose.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g), ([, a, b]) => a ?? b)
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [target, heading] = link.split('#')
    const file = target === '' ? page : path.posix.join(path.posix.dirname(page), target)
    const there = file === page ? text : textOf(file)
    return there === undefined || (heading !== undefined && !anchors(there).includes(heading))
  })
}

/** The scripts that a page tells the reader to run, but that package.json does not have. @param {string} text */
function unknownScripts(text) {
  const named = Array.from(text.matchAll(/(?<=`|^)npm run ([a-z][a-z:]*)/gm), ([, name]) => name)
  return named.filter((name) => !Object.hasOwn(scripts, name))
}

function main() {
  const textOf = (/** @type {string} */ file) => {
    const place = path.join(root, file)
    if (!fs.existsSync(place)) return undefined
    return file.endsWith('.md') ? read(file) : ''
  }
  const dead = pages.flatMap((page) => deadLinks(page, read(page), textOf).map((link) => `${page}: ${link}`))
  const unknown = pages.flatMap((page) => unknownScripts(read(page)).map((name) => `${page}: npm run ${name}`))
  for (const line of dead) console.error(`${line} leads nowhere`)
  for (const line of unknown) console.error(`${line} is no script`)
  if (dead.length + unknown.length > 0) process.exit(1)
  console.log(`${pages.length} pages, no dead link, no unknown script`)
}

if (require.main === module) main()

module.exports = { deadLinks }
