'use strict'

// The labels of the pools of this thread. A default label belongs to one living pool only.

const path = require('node:path')
const { fileURLToPath } = require('node:url')

/** How many living pools have each label. @type {Map<string, number>} */
const used = new Map()

/**
 * The default label of a pool.
 * @param {string | undefined} filename its script, as a URL
 */
function labelOf(filename) {
  return freeLabel(filename?.startsWith('file:') ? path.parse(fileURLToPath(filename)).name : 'pool')
}

/**
 * The label, with a number added if a living pool has it.
 * @param {string} label
 */
function freeLabel(label) {
  if (!used.has(label)) return label
  for (let n = 2; ; n++) if (!used.has(`${label}-${n}`)) return `${label}-${n}`
}

/** @param {string} label of a pool that begins */
function takeLabel(label) {
  used.set(label, (used.get(label) ?? 0) + 1)
}

/** @param {string} label of a pool that has ended */
function giveLabelBack(label) {
  const others = (used.get(label) ?? 1) - 1
  if (others === 0) used.delete(label)
  else used.set(label, others)
}

module.exports = { labelOf, freeLabel, takeLabel, giveLabelBack }
