'use strict'

// The name of a target, for people.

const { nameOf } = require('../task/native-targets')
const { NATIVE } = require('../task/targets')

/**
 * @typedef {object} Described
 * @property {string} task the name of the native task or of the export, or '(inline)'
 * @property {'native' | 'script'} lane
 * @property {'call' | 'batch' | 'stream' | 'channel'} kind
 * @property {string | undefined} filename a URL
 */

/**
 * @param {InstanceType<typeof import('../task/targets').Target>} target
 * @returns {Described}
 */
function describeTarget(target) {
  return (target.described ??= target.lane === NATIVE ? describeNative(target.id) : describeScript(target.text))
}

/**
 * @param {number} id
 * @returns {Described}
 */
function describeNative(id) {
  return { task: nameOf(id), lane: 'native', kind: 'call', filename: undefined }
}

/**
 * @param {string} text
 * @returns {Described}
 */
function describeScript(text) {
  const [filename, name, source, , how] = JSON.parse(text)
  return {
    task: source ? '(inline)' : (name ?? 'default'),
    lane: 'script',
    kind: how ?? 'call',
    filename: filename ?? undefined
  }
}

module.exports = { describeTarget, describeScript }
