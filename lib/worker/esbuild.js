'use strict'

// A loader of TypeScript for projects that have no loader but esbuild, such as those with Vite.
// Modules go through hooks on a thread of their own, CommonJS through `require.extensions`.

const fs = require('node:fs')
const Module = require('node:module')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const vm = require('node:vm')
const { ESBUILD_HOOKS } = require('./files')

/** @typedef {'module' | 'commonjs'} Format */
/** A method of Node.js that has no type. @typedef {{ _compile: (source: string, file: string) => void }} Loading */
/** @typedef {{ _extensions: Record<string, (module: Loading, file: string) => void> }} Extensible */

/** @param {string} esbuild its file */
function start(esbuild) {
  const { compile } = compiler(esbuild)
  const { _extensions } = /** @type {Extensible} */ (/** @type {unknown} */ (Module))
  for (const extension of ['.ts', '.cts', '.tsx']) {
    _extensions[extension] = (module, file) => module._compile(compile(file, 'commonjs'), file)
  }
  Module.register(pathToFileURL(ESBUILD_HOOKS), { data: esbuild })
}

/** @param {string} esbuild its file */
function compiler(esbuild) {
  const { transformSync } = require(esbuild)

  /**
   * @param {string} file
   * @param {Format} [format] the format of the source; by default as it is written
   * @returns {string}
   */
  const compile = (file, format) =>
    transformSync(fs.readFileSync(file, 'utf8'), {
      loader: file.endsWith('x') ? 'tsx' : 'ts',
      target: `node${process.versions.node}`,
      sourcefile: file,
      sourcemap: 'inline',
      ...(format === 'commonjs' && { format: 'cjs' })
    }).code

  /**
   * The format that Node.js would assume.
   * @param {string} file
   * @returns {Format}
   */
  const formatOf = (file) => {
    if (file.endsWith('.mts')) return 'module'
    if (file.endsWith('.cts')) return 'commonjs'
    const type = packageType(path.dirname(file))
    if (type !== undefined) return type
    try {
      new vm.Script(`(function (exports, require, module, __filename, __dirname) {${compile(file)}\n})`)
      return 'commonjs'
    } catch {
      return 'module'
    }
  }

  return { compile, formatOf }
}

/**
 * The type that the nearest package.json declares.
 * @param {string} dir
 * @returns {Format | undefined}
 */
function packageType(dir) {
  for (;;) {
    try {
      const { type } = JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8'))
      return type === 'module' || type === 'commonjs' ? type : undefined
    } catch {}
    const above = path.dirname(dir)
    if (above === dir) return
    dir = above
  }
}

module.exports = { start, compiler }
