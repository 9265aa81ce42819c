'use strict'

// Finds the library of a plugin: a file, or the library in the folder or package of a plugin. A package has it in the
// package of the platform, or beside its `package.json`, where `rspool build-task` puts it.

const fs = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')
const { fileURLToPath, pathToFileURL } = require('node:url')
const { fromCode, invalidArgument } = require('../../errors')
const { platformTuple } = require('../../native/platform')
const { show } = require('../options/validate')

/** Matches a path, as opposed to the name of a package. */
const LIKE_A_PLACE = /^(\.{1,2}([\\/]|$)|[\\/]|[a-z]:[\\/]|file:)|\.(node|so|dylib|dll)$/i

/**
 * @param {unknown} place
 * @returns {string} the path of a file
 */
function locate(place) {
  const given = place instanceof URL ? place.href : place
  if (
    typeof given !== 'string' ||
    given === '' ||
    given.includes('\0') ||
    /^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(given)
  )
    throw invalidArgument(`The plugin must be a path, a file: URL or the name of a package, got ${show(place)}`)
  if (!LIKE_A_PLACE.test(given)) return inPackage(folderOf(given))
  const found = path.resolve(given.startsWith('file:') ? fileURLToPath(given) : given)
  return fs.statSync(found, { throwIfNoEntry: false })?.isDirectory() ? inPackage(found) : found
}

/**
 * The folder of a package, resolved from the program's main file or from the working directory.
 * @param {string} name
 */
function folderOf(name) {
  const from = [require.main?.filename, path.resolve('[plugin]')].filter((file) => file !== undefined)
  for (const file of from) {
    const resolve = createRequire(pathToFileURL(file)).resolve
    for (const folder of resolve.paths(name) ?? []) {
      if (fs.existsSync(path.join(folder, name, 'package.json'))) return path.join(folder, name)
    }
  }
  throw notFound(`there is no package '${name}'. To load a file, name it as one: './${name}'`)
}

/**
 * The library of the plugin in a folder.
 * @param {string} folder
 */
function inPackage(folder) {
  const about = readPackage(folder)
  const name = about?.rspool?.tasks
  if (typeof about?.name !== 'string' || typeof name !== 'string')
    throw notFound(`${folder} is no package of tasks: its package.json has no { "rspool": { "tasks": "<name>" } }`)
  const tuple = platformTuple()
  const built = path.join(folder, `${name}.${tuple}.node`)
  const prebuilt = `${about.name}-${tuple}`
  try {
    return createRequire(path.join(folder, 'package.json')).resolve(prebuilt)
  } catch {
    if (fs.existsSync(built)) return built
  }
  throw notFound(
    `${folder} has no library for this platform: there is neither the package ${prebuilt} nor ${built}. ` +
      `Build it: npx rspool build-task ${path.relative('.', folder) || '.'}`
  )
}

/**
 * @param {string} folder
 * @returns {{ name?: unknown, rspool?: { tasks?: unknown } } | undefined}
 */
function readPackage(folder) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
  } catch {
    return undefined
  }
}

/** @param {string} why */
function notFound(why) {
  return fromCode('ERR_RSPOOL_PLUGIN_NOT_FOUND', `The plugin is not loaded: ${why}`)
}

module.exports = { locate, readPackage }
