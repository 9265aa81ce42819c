'use strict'

// The native tasks by name. Plugins add to them, in whatever thread of the process they are loaded, so who finds no name
// looks again.

const { bound } = require('../../native/environment')

/** The names, by number. @type {readonly string[]} */
let names = []
/** The numbers, by name. @type {Map<string, number>} */
const numbers = new Map()

/** Reads what has been added. */
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

/** All names that there are now. */
function allNames() {
  look()
  return names
}

module.exports = { numberOf, nameOf, allNames }
