'use strict'

// Finds the addon: the file that RSPOOL_NATIVE_PATH names and no other, or the prebuilt package of
// this platform, or the build of a checkout. One file serves every runtime and environment.

const path = require('node:path')
const { RspoolError } = require('../errors')
const { platformTuple, libc } = require('./platform')
const { version } = require('../../package.json')

const root = path.join(__dirname, '..', '..')

function candidates() {
  const named = process.env.RSPOOL_NATIVE_PATH
  if (named) return [path.resolve(named)]
  const tuple = platformTuple()
  return [`rspool-${tuple}`, path.join(root, `rspool.${tuple}.node`)]
}

/** @param {string} file */
function loadOne(file) {
  const addon = require(file)
  if (typeof addon.version !== 'function') throw new Error('the file is an addon, but not that of rspool')
  const found = addon.version()
  if (found !== version) throw new Error(`the addon is of version ${found}, the package of version ${version}`)
  return addon
}

/** The first line: what follows in a MODULE_NOT_FOUND is the stack of requires. @param {unknown} error */
function reason(error) {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]
}

function runtime() {
  const { bun, deno, electron, node } = process.versions
  if (bun) return `Bun ${bun}`
  if (deno) return `Deno ${deno}`
  return electron ? `Electron ${electron}` : `Node.js ${node}`
}

/** @param {{ file: string, error: unknown }[]} failures */
function notFound(failures) {
  const platform = [`platform ${process.platform}`, `architecture ${process.arch}`]
  const c = libc()
  if (c !== undefined) platform.push(`C library ${c === 'gnu' ? 'glibc' : c}`)
  const lines = [
    `rspool ${version} found no addon that it can load (${[...platform, runtime()].join(', ')}). Tried:`,
    ...failures.map(({ file, error }) => `  ${file}: ${reason(error)}`)
  ]
  if (failures.some(({ error }) => /** @type {NodeJS.ErrnoException} */ (error).code === 'ERR_DLOPEN_DISABLED')) {
    lines.push(
      'Node.js loads no addon in this process. What to do:',
      isPermitting()
        ? '  start it with --allow-addons, and with --allow-worker for scripts, beside the other flags of the permission model'
        : '  start it without --no-addons, which may also stand in NODE_OPTIONS or in the execArgv of a worker'
    )
  } else if (process.env.RSPOOL_NATIVE_PATH) {
    lines.push('RSPOOL_NATIVE_PATH is set, so nothing else was tried: correct it or unset it.')
  } else {
    lines.push(
      'What to do:',
      '  in a checkout of rspool: npm run build',
      '  in an app: install again with optional dependencies (no --omit=optional, no lock file of another platform)',
      '  in a bundle: leave rspool out of it, as an external package',
      '  where no prebuilt package exists: install a Rust toolchain (https://rustup.rs), then run npx rspool build,',
      '    or allow the install script of rspool in your package manager and install again',
      '  else: report this message at https://github.com/rspool/rspool/issues'
    )
  }
  const cause = failures.length === 1 ? failures[0].error : new AggregateError(failures.map(({ error }) => error))
  return new RspoolError('ERR_RSPOOL_NATIVE_NOT_FOUND', lines.join('\n'), { cause })
}

/** Whether the permission model is in use. */
function isPermitting() {
  return /** @type {{ permission?: object }} */ (/** @type {unknown} */ (process)).permission !== undefined
}

function load() {
  const failures = []
  for (const file of candidates()) {
    try {
      return loadOne(file)
    } catch (error) {
      failures.push({ file, error })
    }
  }
  throw notFound(failures)
}

/** @type {import('./addon').Addon} */
module.exports = load()
