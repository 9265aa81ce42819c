'use strict'

// The pages of the documentation, and the examples on them, as a reader sees them.
//
// An example of JavaScript or TypeScript is one of three things:
// - a file: its first line is a comment with the name of the file, `// square.mjs`;
// - a program: a file whose fence also says `runnable` (or `before`, for code of another package, or `server`);
// - a fragment: its first line is a comment that begins with an ellipsis, `// … in a process of the cluster`.

const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')

const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md']
  .filter((file) => fs.existsSync(path.join(root, file)))
  .concat(
    fs
      .readdirSync(path.join(root, 'docs'), { recursive: true })
      .map((file) => `docs/${String(file).replaceAll(path.sep, '/')}`)
      .filter((file) => file.endsWith('.md'))
  )
  .sort()

/** @param {string} file */
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8')

/**
 * @typedef {object} Fence
 * @property {string} lang
 * @property {string[]} info The words behind the language.
 * @property {string} code
 * @property {number} line
 * @property {string | undefined} name The file that its first line names.
 */

/** @param {string} text @returns {Fence[]} */
function fences(text) {
  const pattern = /^```(?<lang>\w*)[ \t]*(?<info>.*)\n(?<code>[\s\S]*?)^```$/gm
  return Array.from(text.matchAll(pattern), ({ groups = {}, index }) => ({
    lang: groups.lang,
    info: groups.info.split(' ').filter((word) => word !== ''),
    code: groups.code,
    line: text.slice(0, index).split('\n').length,
    name: /^\/\/ (\S+\.(?:[cm]?[jt]sx?|json))$/m.exec(groups.code.split('\n')[0])?.[1]
  }))
}

/** What the console.log calls of an example say that they print. @param {string} code */
function shown(code) {
  return Array.from(code.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm), (match) => match[1])
}

module.exports = { root, pages, read, fences, shown }
