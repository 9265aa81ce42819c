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

/** A specifier that names the JavaScript which its TypeScript would become. */
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (!/^\.{0,2}\/.*\.[mc]?js$/.test(specifier)) throw error
    return next(specifier.replace(/js$/, 'ts'), context).catch(() => {
      throw error
    })
  }
}

export function load(url, context, next) {
  if (!TYPESCRIPT.test(url)) return next(url, context)
  const file = fileURLToPath(url)
  const format = compiler.formatOf(file)
  return { format, source: format === 'commonjs' ? null : compiler.compile(file), shortCircuit: true }
}
