'use strict'

// The folder that `new-task` makes: the files of `task-folder/`, with the names filled in.

const fs = require('node:fs')
const path = require('node:path')
const { PREBUILT } = require('../native/prebuilt')
const version = require('../version')
const { CommandError, EXIT } = require('./failure')

const TEMPLATE = path.join(__dirname, 'task-folder')
/** The source of `rspool-task`, which is part of this package. */
const CRATE = path.join(__dirname, '..', '..', 'crates', 'task')

/**
 * The names of files that npm would treat in its own way or leave out, by their names in this package.
 * @type {Record<string, string>}
 */
const NAMES = {
  gitignore: '.gitignore',
  'Cargo.toml.txt': 'Cargo.toml',
  'package.json.txt': 'package.json',
  'lib.rs.txt': 'src/lib.rs',
  'test.js.txt': 'test/tasks.test.js',
  'index.js.txt': 'index.js',
  'README.md': 'README.md',
  'build.yml': '.github/workflows/build.yml'
}

/**
 * @param {string} name the part before the dot in the names of the tasks
 * @param {string} folder
 * @returns {string} the folder
 */
function makeTaskFolder(name, folder) {
  if (!/^[a-z][a-zA-Z0-9]{0,63}$/.test(name))
    throw new CommandError(EXIT.usage, `'${name}' can be no name of tasks: letters and digits, a small letter first`)
  if (fs.existsSync(folder) && fs.readdirSync(folder).length > 0)
    throw new CommandError(EXIT.failed, `${folder} is there already, and not empty`)
  fs.mkdirSync(folder, { recursive: true })
  const values = {
    name,
    package: name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    crate: pathOfCrate(folder),
    version,
    tuples: PREBUILT.join(', ')
  }
  for (const [from, to] of Object.entries(NAMES)) {
    const text = fs.readFileSync(path.join(TEMPLATE, from), 'utf8')
    const file = path.join(folder, to)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, fill(text, values))
  }
  return folder
}

/**
 * The path from a folder to the crate, without symbolic links, as cargo sees it.
 * @param {string} folder
 */
function pathOfCrate(folder) {
  return path.relative(fs.realpathSync(folder), CRATE).replaceAll(path.sep, '/')
}

/**
 * Replaces `{{names}}` by values.
 * @param {string} text
 * @param {Record<string, string>} values
 */
function fill(text, values) {
  return text.replace(/\{\{(\w+)\}\}/g, (_, name) => values[name])
}

module.exports = { makeTaskFolder, pathOfCrate }
