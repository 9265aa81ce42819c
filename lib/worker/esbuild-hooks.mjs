// The hooks for modules of lib/worker/esbuild.js.

import { fileURLToPath } from 'node:url'
import esbuild from './esbuild.js'

const TYPESCRIPT = /^file:.*\.([mc]?ts|tsx)(\?|$)/

/** @type {ReturnType<typeof esbuild.compiler>} */
let compiler

/** @param {string} file of esbuild */
export function initialize(file) {
  compiler = esbuild.compiler(file)
}

/**
 * A specifier may name the JavaScript which a file in TypeScript would become.
 * @type {import('node:module').ResolveHook}
 */
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (!/^\.{0,2}\/.*\.[mc]?js$/.test(specifier)) throw error
    try {
      return await next(specifier.replace(/js$/, 'ts'), context)
    } catch {
      throw error
    }
  }
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!TYPESCRIPT.test(url)) return next(url, context)
  const file = fileURLToPath(url)
  const format = compiler.formatOf(file)
  return { format, source: format === 'commonjs' ? undefined : compiler.compile(file), shortCircuit: true }
}
