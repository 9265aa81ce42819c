'use strict'

// The part of the caller's context that travels with a call: the values of the stores of its pool, and values that are
// given with the call.

const { isMoved, move, unwrap } = require('../../payload/move')
const { SCRIPT, variantOf } = require('./targets')

/** @typedef {InstanceType<typeof import('./targets').Target>} Target */

/**
 * @param {Target} target
 * @param {unknown} input
 * @param {InstanceType<typeof import('./settings').Settings>} settings
 * @returns {{ target: Target, input: unknown }}
 */
function carry(target, input, { stores, context }) {
  const values = target.lane === SCRIPT ? valuesOf(stores, context) : undefined
  if (values === undefined) return { target, input }
  return {
    target: variantOf(target, 'carrying'),
    input: isMoved(input) ? withMoved(values, unwrap(input)) : [values, input]
  }
}

/**
 * @param {[string, unknown][]} values
 * @param {ReturnType<typeof unwrap>} moved
 */
function withMoved(values, { value, transferList }) {
  return move([values, value], transferList)
}

/**
 * @param {Record<string, import('node:async_hooks').AsyncLocalStorage<unknown>> | undefined} stores
 * @param {Record<string, unknown> | undefined} given takes precedence over the stores; undefined is no value
 * @returns {[string, unknown][] | undefined} names and values
 */
function valuesOf(stores, given) {
  /** @type {[string, unknown][] | undefined} */
  let values
  for (const name in stores) {
    if (given !== undefined && Object.hasOwn(given, name)) continue
    const value = stores[name].getStore()
    if (value !== undefined) (values ??= []).push([name, value])
  }
  for (const name in given) if (given[name] !== undefined) (values ??= []).push([name, given[name]])
  return values
}

module.exports = { carry, valuesOf }
