'use strict'

// Plugins: native tasks of the user. A plugin is loaded once per process; a config is for the process or for one pool.

const { bound } = require('../../native/environment')
const { fromCode, invalidArgument } = require('../../errors')
const { toJson } = require('../../payload/values')
const { object, readOptions, show } = require('../options/validate')
const { locate } = require('./locate')

/** @typedef {import('../../../types/plugins').LoadedPlugin} LoadedPlugin */
/** @typedef {import('../../../types/plugins').PoolPlugin} PoolPlugin */

const RULES = { config: object }
const POOL_RULES = { path: /** @type {import('../options/validate').Rule<string | URL>} */ (placeRule), config: object }

/**
 * @param {unknown} value
 * @param {string} label
 */
function placeRule(value, label) {
  if (typeof value === 'string' || value instanceof URL) return value
  throw invalidArgument(`${label} must be a path, a file: URL or the name of a package, got ${show(value)}`)
}

/**
 * @param {unknown} place a file, a folder or the name of a package
 * @returns {LoadedPlugin & { id: number }}
 */
function load(place) {
  const file = locate(place)
  refuseForbidden(file)
  const told = JSON.parse(bound.loadPlugin(file))
  if (told.code !== undefined) throw fromCode(told.code, `The plugin is not loaded: ${told.message}`)
  return told
}

/**
 * A program that may not load addons may not load plugins, and a file that may not be read may not be run.
 * @param {string} file
 */
function refuseForbidden(file) {
  const { permission } = /** @type {{ permission?: { has: (scope: string, reference?: string) => boolean } }} */ (
    /** @type {unknown} */ (process)
  )
  if (permission === undefined || permission.has('fs.read', file)) return
  throw fromCode(
    'ERR_ACCESS_DENIED',
    `The plugin ${file} is not loaded: this process may not read it (--allow-fs-read)`
  )
}

/**
 * @param {unknown} given
 * @param {string} what
 */
function configOf(given, what) {
  return textOf(readOptions(given, RULES, what).config, what)
}

/**
 * @param {object | undefined} config
 * @param {string} what
 */
function textOf(config, what) {
  return config === undefined ? undefined : toJson(config, `${what}: 'config'`)
}

/**
 * Loads a plugin for the process.
 * @param {unknown} place
 * @param {unknown} [options]
 * @returns {Promise<LoadedPlugin>}
 */
async function loadTasks(place, options) {
  const config = configOf(options ?? {}, 'Options of loadTasks')
  const { id, ...plugin } = load(place)
  bound.configurePlugin(id, config)
  return plugin
}

/**
 * The option `plugins` of a pool.
 * @param {unknown} value
 * @param {string} label
 * @returns {readonly PoolPlugin[]}
 */
function plugins(value, label) {
  if (!Array.isArray(value))
    throw invalidArgument(`${label} must be an array of plugins, as [{ path, config }], got ${show(value)}`)
  return Object.freeze(
    value.map((each) => {
      const { path, config } = readOptions(each, POOL_RULES, `Each of ${label}`)
      if (path === undefined) throw invalidArgument(`Each of ${label}: 'path' is missing`)
      return Object.freeze({ path, config })
    })
  )
}

/**
 * Loads the plugins of a pool. If one cannot be loaded, no part of the pool is made.
 * @param {readonly PoolPlugin[]} [given]
 * @returns {(native: import('../../native/addon').NativePool) => void} gives the pool its configs
 */
function forPool(given = []) {
  const found = given.map(({ path, config }) => ({ id: load(path).id, text: textOf(config, 'A plugin of a pool') }))
  return (native) => {
    for (const { id, text } of found) native.configurePlugin(id, text)
  }
}

module.exports = { loadTasks, plugins, forPool }
