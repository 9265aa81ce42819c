'use strict'

// The objects of the value that is being encoded, in the order in which they were met: one that comes again is
// written as a reference.

const { UNSUPPORTED } = require('./tags')

/** Objects up to this many are searched one after another. */
const FEW = 12

let shared = false
/** @type {object[]} */
let seen = []
/** @type {Map<object, number> | undefined} */
let seenMap
/** The errors whose causes are being written: the engine cannot read one that leads back to it. @type {number[]} */
let causing = []

/**
 * The number of an object that was met before; -1 if it was not, and from now on it was.
 * @param {object} object
 */
function numberOf(object) {
  const index = find(object)
  if (index < 0) return -1
  if (causing.length > 0 && causing.includes(index)) throw UNSUPPORTED
  shared = true
  return index
}

/** @param {object} object */
function find(object) {
  if (seenMap !== undefined) {
    const index = seenMap.get(object) ?? -1
    if (index < 0) seenMap.set(object, seenMap.size)
    return index
  }
  const index = seen.length === 0 ? -1 : seen.indexOf(object)
  if (index < 0) {
    seen.push(object)
    if (seen.length > FEW) seenMap = new Map(seen.map((each, i) => [each, i]))
  }
  return index
}

/** Whether any was met again. */
function areShared() {
  return shared
}

/** The cause of an error that was met is being written. @param {object} error */
function beginCause(error) {
  causing.push(seenMap === undefined ? seen.indexOf(error) : (seenMap.get(error) ?? -1))
}

function endCause() {
  causing.pop()
}

/** Those of the value around this one. */
function references() {
  const outer = { shared, seen, seenMap, causing }
  seen = []
  causing = []
  forget()
  return outer
}

function forget() {
  shared = false
  if (seen.length > 0) seen = []
  seenMap = undefined
  if (causing.length > 0) causing = []
}

/** @param {ReturnType<typeof references>} outer */
function restore(outer) {
  ;({ shared, seen, seenMap, causing } = outer)
}

module.exports = { areShared, beginCause, endCause, forget, numberOf, references, restore }
