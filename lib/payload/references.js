'use strict'

// The objects of the value that is being encoded, in the order in which they were met. An object that comes again is
// written as a reference.

const { MapClass, SetClass, mapGet, mapSet, setAdd } = require('../native/primordials')
const { UNSUPPORTED } = require('./tags')

/** Objects up to this many are searched one after another. */
const FEW = 12

let shared = false
/** The objects, as long as they are few. @type {object[]} */
let seen = []
/**
 * The objects, as long as none has come again: a set is the fastest test for a new one.
 * @type {Set<object> | undefined}
 */
let many
/** The numbers of the objects, once one has come again. @type {Map<object, number> | undefined} */
let numbers
/**
 * The errors whose causes are being written. The engine cannot read a cause that leads back to its error.
 * @type {number[]}
 */
let causing = []

/**
 * The number of an object that was met before. If it was not, notes the object, and gives -1.
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
  if (many !== undefined) {
    const { size } = many
    setAdd(many, object)
    if (many.size > size) return -1
    numbers = numbered(many)
    many = undefined
  }
  if (numbers !== undefined) {
    const index = mapGet(numbers, object) ?? -1
    if (index < 0) mapSet(numbers, object, numbers.size)
    return index
  }
  const index = seen.length === 0 ? -1 : seen.indexOf(object)
  if (index < 0) {
    seen.push(object)
    if (seen.length > FEW) many = new SetClass(seen)
  }
  return index
}

/** @param {Iterable<object>} objects in their order */
function numbered(objects) {
  const map = new MapClass()
  for (const each of objects) mapSet(map, each, map.size)
  return map
}

/** Whether any object was met again. */
function areShared() {
  return shared
}

/** The cause of an error is going to be written. @param {object} error */
function beginCause(error) {
  if (many !== undefined) {
    numbers = numbered(many)
    many = undefined
  }
  causing.push(numbers === undefined ? seen.indexOf(error) : (mapGet(numbers, error) ?? -1))
}

function endCause() {
  causing.pop()
}

/** Takes the references of the outer value aside. */
function references() {
  const outer = { shared, seen, many, numbers, causing }
  seen = []
  causing = []
  forget()
  return outer
}

function forget() {
  shared = false
  if (seen.length > 0) seen = []
  many = undefined
  numbers = undefined
  if (causing.length > 0) causing = []
}

/** @param {ReturnType<typeof references>} outer */
function restore(outer) {
  ;({ shared, seen, many, numbers, causing } = outer)
}

module.exports = { areShared, beginCause, endCause, forget, numberOf, references, restore }
