'use strict'

// Builds the crate of a plugin, and puts its library where `loadTasks` looks for it.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { platformTuple } = require('../native/platform')
const { BuildError, checkToolchain, place } = require('./build-addon')
const { CommandError, EXIT } = require('./failure')
const { pathOfCrate } = require('./task-folder')

/**
 * @param {string} folder
 * @param {{ debug: boolean, args: string[] }} how
 * @returns {Promise<string[]>} the files that are written
 */
async function buildTask(folder, { debug, args }) {
  const { readPackage } = require('../pool/plugins/locate')
  const { typesOf } = require('./task-types')
  const name = readPackage(folder)?.rspool?.tasks
  if (typeof name !== 'string')
    throw new CommandError(
      EXIT.usage,
      `${path.resolve(folder)} is no folder of native tasks: its package.json has no { "rspool": { "tasks": "<name>" } }. Make one: npx rspool new-task <name>`
    )
  const library = path.join(folder, `${name}.${platformTuple()}.node`)
  try {
    checkToolchain()
    repairPath(folder)
    place(compile(folder, debug ? args : ['--release', ...args]), library)
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    throw new CommandError(EXIT.failed, error.message)
  }
  const types = path.join(folder, 'index.d.ts')
  fs.writeFileSync(types, await typesOf(library))
  return [library, types]
}

/**
 * The path of `rspool-task` depends on where rspool is installed: corrects it if it leads nowhere.
 * @param {string} folder
 */
function repairPath(folder) {
  const file = path.join(folder, 'Cargo.toml')
  const manifest = fs.readFileSync(file, 'utf8')
  const repaired = manifest.replace(/^(rspool-task = \{.*\bpath = ")([^"]*)"/m, (line, before, place) =>
    fs.existsSync(path.join(folder, place, 'Cargo.toml')) ? line : `${before}${pathOfCrate(folder)}"`
  )
  if (repaired !== manifest) fs.writeFileSync(file, repaired)
}

/**
 * @param {string} folder
 * @param {string[]} args
 * @returns {string} the library
 */
function compile(folder, args) {
  const { status, signal, stdout } = spawnSync(
    'cargo',
    ['build', '--lib', '--message-format=json-render-diagnostics', ...args],
    { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: Infinity }
  )
  if (status !== 0) throw new BuildError(`cargo build failed (${signal ?? `exit code ${status}`})`)
  for (const line of stdout
    .split('\n')
    .filter((line) => line.includes('"compiler-artifact"'))
    .reverse()) {
    const { target, filenames } = JSON.parse(line)
    if (!target.kind.includes('cdylib')) continue
    const library = filenames.find((/** @type {string} */ file) => /\.(so|dylib|dll)$/.test(file))
    if (library !== undefined) return library
  }
  throw new BuildError('cargo build made no library: Cargo.toml needs crate-type = ["cdylib"]')
}

module.exports = { buildTask }
