'use strict'

// What a target is called, for people.

const { native, bound } = require('../../native/environment')
const { NATIVE } = require('../task/targets')

/**
 * @typedef {object} Described
 * @property {string} task the name of the native task or of the export, or '(inline)'
 * @property {'native' | 'script'} lane
 * @property {'call' | 'batch' | 'stream' | 'channel'} kind
 * @property {string | undefined} filename an URL
 */

/** By the numbers of the targets of each lane. @type {Described[][]} */
const described = [[], []]

/**
 * @param {import('../task/targets').Target} target
 * @returns {Described}
 */
function describeTarget({ lane, id }) {
  return (described[lane][id] ??= lane === NATIVE ? describeNative(id) : describeScript(id))
}

/**
 * @param {number} id
 * @returns {Described}
 */
function describeNative(id) {
  return { task: bound.taskNames()[id], lane: 'native', kind: 'call', filename: undefined }
}

/**
 * @param {number} id
 * @returns {Described}
 */
function describeScript(id) {
  const [filename, name, source, , how] = JSON.parse(native.target(id))
  return {
    task: source ? '(inline)' : (name ?? 'default'),
    lane: 'script',
    kind: how ?? 'call',
    filename: filename ?? undefined
  }
}

module.exports = { describeTarget }
