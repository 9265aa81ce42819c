'use strict'

// The native tasks by name. Any thread of the process may add tasks by loading a plugin, so a name that is not found is
// looked up again.

const { bound } = require('../../native/environment')

/** The names, by number. @type {readonly string[]} */
let names = []
/** The numbers, by name. @type {Map<string, number>} */
const numbers = new Map()

/** Reads the names that have been added. */
function look() {
  names = bound.taskNames()
  for (let number = numbers.size; number < names.length; number++) numbers.set(names[number], number)
}

look()

/** @param {string} name */
function numberOf(name) {
  const known = numbers.get(name)
  if (known !== undefined) return known
  look()
  return numbers.get(name)
}

/** @param {number} number */
function nameOf(number) {
  if (number >= names.length) look()
  return names[number]
}

/** All present names. */
function allNames() {
  look()
  return names
}

module.exports = { numberOf, nameOf, allNames }
