'use strict'

// Advice on what to write instead, for options that are in the wrong place.

/** The advice for an option of another place, by its name. @type {Map<string, string>} */
const places = new Map()

/**
 * Makes options known to the readers of other options, for their advice.
 * @param {Iterable<string>} names
 * @param {(name: string) => string} write how such an option is given
 */
function belong(names, write) {
  for (const name of names) if (!places.has(name)) places.set(name, write(name))
}

/** @param {string} name */
function elsewhere(name) {
  const place = places.get(name)
  return place === undefined ? undefined : ` It is an option of ${place}`
}

/** The advice for calls with the items of an array in place of the array. */
const ONE_INPUT = ' Several values are one input in an array: run([a, b])'

/**
 * Names a value that was given in place of an object of options, and says how to write it.
 * @param {unknown} given
 */
function adviseOnOptions(given) {
  if (typeof given === 'string') return `. To call another export, write { name: '${given}' }`
  if (typeof given === 'number') return `. For a time limit write { timeout: ${given} }.${ONE_INPUT}`
  if (typeof given === 'function') return '. A function to be called with progress is { onProgress: … }'
  if (Array.isArray(given)) return `. To run a function with arguments, use runTask(fn, args).${ONE_INPUT}`
  return ''
}

/** @param {unknown} given the value that `new Pool()` got in place of options */
function adviseOnPool(given) {
  if (typeof given === 'string' || given instanceof URL) return `. Write new Pool({ filename: '${given}' })`
  if (typeof given === 'number') return `. Write new Pool({ maxThreads: ${given} })`
  if (typeof given === 'function') return '. A function is given to a call: pool.runTask(fn, args)'
  return ''
}

module.exports = { belong, elsewhere, adviseOnOptions, adviseOnPool }
