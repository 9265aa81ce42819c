'use strict'

// Scripts in TypeScript. Node.js runs them itself if it strips types, and so does a loader that the process was started
// with. Otherwise a loader that the user has installed is found from the script or the working directory, and
// registered in this isolate.

const { createRequire, register } = require('node:module')
const path = require('node:path')
const { fileURLToPath, pathToFileURL } = require('node:url')
const { mayHaveLoader } = require('./may-have-loader')

/**
 * The features that Node.js refuses and a loader has: any TypeScript; syntax that is more than types; files in
 * node_modules.
 */
const REFUSALS = new Set([
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING'
])

/**
 * How each loader is registered, in the order in which they are tried.
 * @type {[string, (require: NodeJS.Require) => unknown][]}
 */
const LOADERS = [
  ['tsx', startTsx],
  ['@oxc-node/core', (require) => importFile(path.join(require.resolve('@oxc-node/core'), '..', 'register.mjs'))],
  [
    '@swc-node/register',
    (require) => {
      const main = require.resolve('@swc-node/register')
      require(main)
      register('@swc-node/register/esm', pathToFileURL(main))
    }
  ],
  ['esbuild', ({ resolve }) => require('./esbuild').start(resolve('esbuild'))]
]

/** The name of the loader that was found. @type {Promise<string | undefined> | undefined} */
let loader

/**
 * @param {string} filename a URL
 * @returns {Promise<unknown>} its exports
 */
async function importTypeScript(filename) {
  if (loader === undefined && !mayRunTypeScript()) loader = findLoader(filename)
  const before = await loader
  try {
    return await import(filename)
  } catch (error) {
    const code = String(/** @type {NodeJS.ErrnoException} */ (error).code)
    if (before !== undefined || !REFUSALS.has(code)) throw error
    const found = await (loader ??= findLoader(filename))
    if (found === undefined) throw withAdvice(/** @type {NodeJS.ErrnoException} */ (error))
    // Node.js refuses an extension for ever under the same URL.
    return import(code === 'ERR_UNKNOWN_FILE_EXTENSION' ? `${filename}?${found}` : filename)
  }
}

/** Whether this process strips types, or was started with an option that may add a loader. */
function mayRunTypeScript() {
  return /** @type {{ typescript?: unknown }} */ (process.features).typescript || mayHaveLoader()
}

/**
 * @param {string} filename a URL
 * @returns {Promise<string | undefined>}
 */
async function findLoader(filename) {
  const places = [fileURLToPath(filename), path.join(process.cwd(), 'x')].map((file) => createRequire(file))
  for (const [name, start] of LOADERS) {
    for (const require of places) {
      try {
        require.resolve(name)
      } catch {
        continue
      }
      await start(require)
      process.setSourceMapsEnabled(true)
      return name
    }
  }
}

/**
 * tsx is registered by its API, since `--import tsx` has no effect in a worker of Node.js 20.
 * @param {NodeJS.Require} require
 */
async function startTsx(require) {
  require('tsx/cjs')
  // The CommonJS side of the API looks for its hooks in a wrong place.
  const api = await importFile(path.join(require.resolve('tsx/esm/api'), '..', 'index.mjs'))
  api.register()
}

/** @param {string} file */
function importFile(file) {
  return import(pathToFileURL(file).href)
}

/** @param {NodeJS.ErrnoException} error */
function withAdvice(error) {
  const names = LOADERS.map(([name]) => name).join(', ')
  error.message +=
    (error.code === 'ERR_UNKNOWN_FILE_EXTENSION'
      ? `: Node.js ${process.version} does not run TypeScript by itself, as 22.18 and 24 do.`
      : ': this needs more than the types taken out of TypeScript.') +
    ` Install one of ${names}, as in 'npm install --save-dev tsx', or give the pool a script in JavaScript`
  return error
}

module.exports = { importTypeScript }
