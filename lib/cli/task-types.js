'use strict'

// The description of a library's tasks, as types for TypeScript.

const path = require('node:path')
const { CommandError, EXIT } = require('./failure')

/** @typedef {import('../../types/plugins').LoadedPlugin} LoadedPlugin */

/**
 * @param {string} place a file or a folder
 * @returns {Promise<string>}
 */
async function typesOf(place) {
  const { loadTasks } = require('../pool/plugins/load')
  try {
    return declare(await loadTasks(path.resolve(place)))
  } catch (error) {
    throw new CommandError(EXIT.failed, /** @type {Error} */ (error).message)
  }
}

/** @param {LoadedPlugin} plugin */
function declare({ tasks }) {
  const lines = tasks.map(({ name, doc, input, params, result, chunk }) => {
    const chunks = chunk === null ? '' : `; chunk: ${chunk}`
    const type = `{ input: ${input ?? 'unknown'}; params: ${params ?? 'NoParams'}; result: ${result ?? 'unknown'}${chunks} }`
    return `${comment(doc)}    '${name}': ${type}\n`
  })
  return [
    '// Written by rspool from what the tasks say of themselves.\n',
    "import type { BytesLike, LoadedPlugin, LoadTasksOptions, NoParams, SharedMap, SharedMapHandle, TypedArrays } from 'rspool'\n",
    "declare module 'rspool' {\n  interface NativeTasks {\n",
    ...lines,
    '  }\n}\n',
    '\n/** Resolves when the tasks can be called. */\n',
    'export declare function load(options?: LoadTasksOptions): Promise<LoadedPlugin>\n'
  ].join('')
}

/** @param {string | null} doc */
function comment(doc) {
  const lines = (doc ?? '')
    .replaceAll('*/', '* /')
    .split('\n')
    .map((line) => line.trim())
  return lines.join('') === '' ? '' : `    /** ${lines.join('\n     * ')} */\n`
}

module.exports = { typesOf }
