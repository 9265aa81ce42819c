'use strict'

// The settings with which a process is started: the file, its arguments and its environment.

const fs = require('node:fs')
const path = require('node:path')
const { fileURLToPath } = require('node:url')
const { invalidArgument } = require('../../errors')
const { show } = require('../../pool/options/validate')

/**
 * An absolute path, a path relative to the working directory, a URL or a `file:` URL string.
 * @param {unknown} value
 * @param {string} label
 */
function resolveFile(value, label) {
  let file
  if (value instanceof URL || (typeof value === 'string' && value.startsWith('file:'))) {
    try {
      file = fileURLToPath(value)
    } catch {
      throw invalidArgument(`${label} must be a path or a file: URL, got ${show(value)}`)
    }
  } else if (typeof value === 'string' && value !== '') {
    file = path.resolve(value)
  } else {
    throw invalidArgument(`${label} must be a path or a file: URL, got ${show(value)}`)
  }
  if (!fs.existsSync(file)) throw invalidArgument(`${label}: there is no file ${file}`)
  return file
}

/**
 * @typedef {{ file: string, awaitsMain: boolean, args: string[], execArgv: string[], cwd?: string, env: import('../options').Environment|((slot: number) => import('../options').Environment) }} Spec
 */

/**
 * @param {string|undefined} file if none, this program's own file, which calls `cluster.run` with a function again
 * @param {import('../options').ClusterOptions} options
 * @returns {Spec}
 */
function makeSpec(file, options) {
  const { env = {}, args, execArgv = process.execArgv, cwd } = options
  if (file !== undefined) return { file, awaitsMain: false, args: args ?? [], execArgv, cwd, env }
  const [, script] = process.argv
  if (script === undefined || !fs.existsSync(script)) {
    throw invalidArgument(
      "cluster.run(function) runs the program's own file in every process, and this program has none; pass a file"
    )
  }
  return { file: script, awaitsMain: true, args: args ?? process.argv.slice(2), execArgv, cwd, env }
}

/**
 * The variables that the environment of a slot's process has for itself. A spare gets them with its slot.
 * @param {Spec} spec
 * @param {number|undefined} slot
 */
function ownEnv({ env }, slot) {
  if (typeof env !== 'function') return env
  return slot === undefined ? {} : env(slot)
}

/**
 * Whether the process waits for a debugger before it runs any code.
 * @param {Spec} spec
 * @param {number|undefined} slot
 */
function debugsBoot(spec, slot) {
  const own = ownEnv(spec, slot)
  const options = [...spec.execArgv, own.NODE_OPTIONS ?? process.env.NODE_OPTIONS ?? '']
  return /--inspect-(brk|wait)/.test(options.join(' '))
}

module.exports = { resolveFile, makeSpec, ownEnv, debugsBoot }
