'use strict'

// Finds the function that a call of a pool means: by name, by file and name, or the function itself.

const { UnknownTaskError, invalidArgument } = require('../../errors')
const { Bounded } = require('./bounded')
const { nativeTarget, scriptTarget, inlineTarget, scriptUrl } = require('./targets')
const { show } = require('../options/validate')

/** @typedef {InstanceType<typeof import('./targets').Target>} Target */

class Lookup {
  // A property that somebody adds to Object.prototype must not appear as a field.
  static {
    Object.setPrototypeOf(this.prototype, null)
  }

  #filename
  /** The targets by name, or by file and name. @type {Bounded<string, Target>} */
  #exports = new Bounded()

  /**
   * @param {string | undefined} filename the pool's script, as a URL
   * @param {string} name of the export that `run` calls
   */
  constructor(filename, name) {
    this.#filename = filename
    /** The target of `run` if no function is named. */
    this.main = filename === undefined ? undefined : scriptTarget(filename, exportName(name))
  }

  /**
   * @param {unknown} task
   * @returns {Target}
   */
  of(task) {
    if (typeof task === 'string') return task.includes('.') ? nativeTarget(task) : this.script(task)
    if (typeof task === 'function') return inlineTarget(task)
    if (isScriptTask(task))
      return this.script(
        Object.hasOwn(task, 'name') ? task.name : undefined,
        scriptUrl(task.filename, "The task's filename")
      )
    throw invalidArgument(
      `The task must be a name, a function or { filename, name }, got ${show(task)}: to give data to the script of a pool, use run(input)`
    )
  }

  /**
   * The target of a call whose task may be left out: undefined means the target of `run`.
   * @param {unknown} task
   * @returns {Target}
   */
  named(task) {
    return task === undefined ? this.script(undefined) : this.of(task)
  }

  /**
   * An export of a script.
   * @param {string | undefined} name
   * @param {string} [filename]
   * @returns {Target}
   */
  script(name, filename = this.#filename) {
    const own = filename === this.#filename
    if (filename === undefined) {
      throw new UnknownTaskError(
        name === undefined
          ? "This pool has no script: give it a 'filename', or name a native task, as in runTask('hash.sha256', bytes)"
          : `There is no task '${name}': this pool has no script to export it. Give the pool a 'filename', or name a native task, as in runTask('hash.sha256', bytes)`
      )
    }
    if (own && name === undefined) return /** @type {Target} */ (this.main)
    const key = own ? /** @type {string} */ (name) : `${filename}\0${name}`
    let target = this.#exports.get(key)
    if (target === undefined) {
      target = scriptTarget(filename, exportName(name))
      this.#exports.add(key, target, key.length)
    }
    return target
  }

  /**
   * An isolate has not found the target.
   * @param {Target} target
   */
  forget({ text }) {
    const [filename, name] = JSON.parse(text)
    this.#exports.drop(filename === this.#filename ? name : `${filename}\0${name ?? undefined}`)
  }
}

/** @param {string | undefined} name */
function exportName(name) {
  if (name === 'setup' || name === 'teardown') {
    throw new UnknownTaskError(
      `'${name}' is no task: the pool calls the export of this name itself, when a worker ${name === 'setup' ? 'starts' : 'retires'}`
    )
  }
  return name === 'default' ? undefined : name
}

/**
 * `{ filename, name? }` and nothing else.
 * @param {unknown} task
 * @returns {task is { filename: unknown, name?: string }}
 */
function isScriptTask(task) {
  if (task === null || typeof task !== 'object' || !Object.hasOwn(task, 'filename')) return false
  return Object.entries(task).every(
    ([key, value]) => key === 'filename' || (key === 'name' && typeof value === 'string')
  )
}

module.exports = { Lookup }
