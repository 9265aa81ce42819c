'use strict'

// The rules of the options that steer the scheduler: groups, affinity, recycling, and the threads of workers.

const { invalidArgument } = require('../../errors')
const { readOptions, integer, object, show, text } = require('./validate')

/**
 * @template T
 * @typedef {import('./validate').Rule<T>} Rule
 */

/** How many keys of affinity the scheduler distinguishes, from 1 on. */
const KEYS = 65_534

/**
 * The scheduler's key for a value of `affinity`: FNV-1a over the characters, folded. Two values with the same key share
 * a worker.
 * @type {Rule<number>}
 */
function affinity(value, label) {
  const isKey = typeof value === 'string' ? value !== '' : Number.isFinite(value)
  if (!isKey)
    throw invalidArgument(`${label} must be a string that is not empty, or a finite number, got ${show(value)}`)
  const text = String(value)
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return ((hash >>> 0) % KEYS) + 1
}

/** @type {Rule<number>} */
function weight(value, label) {
  if (typeof value === 'number' && value >= 0.001 && value <= 1_000_000) return value
  throw invalidArgument(`${label} must be a number from 0.001 to 1000000, got ${show(value)}`)
}

const GROUP_RULES = { weight, maxRunning: integer(1, 1_000_000, { infinity: true }) }

/**
 * The limits of each group, by name, in an object without a prototype.
 * @type {Rule<Record<string, { weight: number, maxRunning: number }>>}
 */
function groups(value, label) {
  const read = Object.create(null)
  for (const [name, limits] of Object.entries(object(value, label))) {
    const given = readOptions(limits, GROUP_RULES, `${label}: '${name}'`)
    read[text(name, `${label}: a name`)] = Object.freeze({ weight: 1, maxRunning: Infinity, ...given })
  }
  return Object.freeze(read)
}

const bytes = integer(1, Number.MAX_SAFE_INTEGER)

/** A time after which a worker is replaced. @type {Rule<number>} */
function age(value, label) {
  if (typeof value === 'number' && value >= 1 && value <= 0x7fffffff) return value
  throw invalidArgument(`${label} must be a number of milliseconds from 1 to 2147483647, got ${show(value)}`)
}

const RECYCLE_RULES = { tasks: integer(1, 0xfffffffe), heap: bytes, age, rss: bytes }

/** When workers are replaced. @type {Rule<Readonly<import('./validate').ReadBy<typeof RECYCLE_RULES>>>} */
function recycle(value, label) {
  return Object.freeze(readOptions(value, RECYCLE_RULES, label))
}

module.exports = { affinity, group: text, groups, recycle }
