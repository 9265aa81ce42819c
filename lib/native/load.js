'use strict'

// Finds the addon: only the file that RSPOOL_NATIVE_PATH names, or else the prebuilt package of this platform, or the
// build of a checkout. One file serves every runtime and environment.

const path = require('node:path')
const { RspoolError } = require('../errors')
const { LEAVE_OUT } = require('../bundled')
const version = require('../version')
const { platformTuple, libc } = require('./platform')
const { prebuilt } = require('./prebuilt')

const root = path.join(__dirname, '..', '..')

/** The places to try, in order. @returns {{ name: string, from: () => { addon?: unknown, error?: unknown } }[]} */
function candidates() {
  /** @param {string} file */
  const file = (file) => ({ name: file, from: () => ({ addon: require(file) }) })
  const named = process.env.RSPOOL_NATIVE_PATH
  if (named) return [file(path.resolve(named))]
  const tuple = platformTuple()
  return [{ name: `rspool-${tuple}`, from: () => prebuilt(tuple) }, file(path.join(root, `rspool.${tuple}.node`))]
}

/** @param {{ addon?: unknown, error?: unknown }} found */
function checked({ addon, error }) {
  if (error !== undefined) throw error
  const { version: tell } = /** @type {Partial<import('./addon').Addon>} */ (addon)
  if (typeof tell !== 'function') throw new Error('the file is an addon, but not that of rspool')
  const found = tell()
  if (found !== version) throw new Error(`the addon is of version ${found}, the package of version ${version}`)
  return addon
}

/** The first line of a message: in a MODULE_NOT_FOUND the stack of requires follows. @param {unknown} error */
function reason(error) {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]
}

function runtime() {
  const { bun, deno, electron, node } = process.versions
  if (bun) return `Bun ${bun}`
  if (deno) return `Deno ${deno}`
  return electron ? `Electron ${electron}` : `Node.js ${node}`
}

/** @param {{ name: string, error: unknown }[]} failures */
function notFound(failures) {
  const platform = [`platform ${process.platform}`, `architecture ${process.arch}`]
  const c = libc()
  if (c !== undefined) platform.push(`C library ${c === 'gnu' ? 'glibc' : c}`)
  const lines = [
    `rspool ${version} found no addon that it can load (${[...platform, runtime()].join(', ')}). Tried:`,
    ...failures.map(({ name, error }) => `  ${name}: ${reason(error)}`)
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
      `  in a bundle: ${LEAVE_OUT}`,
      '  where no prebuilt package exists: install a Rust toolchain (https://rustup.rs), then run npx rspool build',
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
  for (const { name, from } of candidates()) {
    try {
      return checked(from())
    } catch (error) {
      failures.push({ name, error })
    }
  }
  throw notFound(failures)
}

module.exports = /** @type {import('./addon').Addon} */ (load())
