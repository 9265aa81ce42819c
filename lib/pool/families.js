'use strict'

// `tasks`: the native tasks as functions, family by family. The tasks of a plugin are there as soon as the plugin is
// loaded, in whichever thread of the process.

const { runTask } = require('./default-pool')
const { allNames } = require('./task/native-targets')

/** @typedef {(input?: unknown, options?: unknown) => Promise<unknown>} Run */

/** @type {Record<string, Readonly<Record<string, Run>>>} */
const families = {}
/** How many names are in them. */
let known = 0

/** Adds the families that have been loaded since. A family comes as a whole. */
function look() {
  const names = allNames()
  if (names.length === known) return
  /** @type {Record<string, Record<string, Run>>} */
  const added = {}
  for (const name of names.slice(known)) {
    const [family, task] = name.split('.')
    added[family] ??= {}
    added[family][task] = (input, options) => runTask(name, input, options)
  }
  known = names.length
  for (const [family, members] of Object.entries(added)) {
    Object.defineProperty(families, family, { value: Object.freeze(members), enumerable: true })
  }
}

look()

const tasks = new Proxy(families, {
  get(_, name) {
    if (typeof name === 'string' && !Object.hasOwn(families, name)) look()
    return Reflect.get(families, name)
  },
  has(_, name) {
    look()
    return Reflect.has(families, name)
  },
  ownKeys() {
    look()
    return Reflect.ownKeys(families)
  },
  getOwnPropertyDescriptor(_, name) {
    look()
    return Reflect.getOwnPropertyDescriptor(families, name)
  },
  set: () => false,
  defineProperty: () => false,
  deleteProperty: () => false,
  setPrototypeOf: () => false,
  preventExtensions: () => false
})

module.exports = { tasks }
