'use strict'

// Several inputs of `pool.map` that came as one task: the function is called for one after another, and
// each has an outcome of its own.

const { context } = require('./context')
const { isMoved, move, unwrap } = require('../payload/move')
const { describe } = require('../payload/thrown')

/**
 * @typedef {object} Batch
 * @property {(input: any) => any} run
 * @property {any[]} inputs
 * @property {any} running
 * @property {any[]} values
 * @property {[number, any][]} failures index and description
 * @property {any[]} transferList
 * @property {number} began
 */

/** What batches gave, until it is sent. @type {WeakSet<object>} */
const given = new WeakSet()

/**
 * The function for several inputs at once. It gives `[ms, values, failures]`.
 * @param {(input: any) => any} run
 */
function forEach(run) {
  context.follow()
  return (/** @type {any[]} */ inputs) => {
    /** @type {Batch} */
    const batch = {
      run,
      inputs,
      running: context.current(),
      values: [],
      failures: [],
      transferList: [],
      began: performance.now()
    }
    for (let i = 0; i < inputs.length; i++) {
      if (batch.running.isCancelled()) return undefined
      try {
        const value = run(inputs[i])
        if (value !== null && typeof value === 'object') {
          if (typeof value.then === 'function') return rest(batch, value)
          keepObject(batch, value)
        } else batch.values.push(value)
      } catch (error) {
        fail(batch, i, error)
      }
    }
    return outcome(batch)
  }
}

/**
 * Goes on after the first promise.
 * @param {Batch} batch
 * @param {any} pending
 */
async function rest(batch, pending) {
  const { run, inputs, running, values } = batch
  for (;;) {
    const i = values.length
    try {
      keepObject(batch, await (i < inputs.length && pending === undefined ? run(inputs[i]) : pending))
    } catch (error) {
      fail(batch, i, error)
    }
    pending = undefined
    if (running.isCancelled()) return undefined
    if (values.length === inputs.length) return outcome(batch)
  }
}

/**
 * @param {Batch} batch
 * @param {any} value
 */
function keepObject({ values, transferList }, value) {
  if (isMoved(value)) {
    const moved = unwrap(value)
    values.push(moved.value)
    transferList.push(...moved.transferList)
  } else values.push(value)
}

/**
 * @param {Batch} batch
 * @param {number} i
 * @param {unknown} error
 */
function fail({ values, failures }, i, error) {
  values[i] = undefined
  failures.push([i, describe(error)])
}

/** @param {Batch} batch */
function outcome({ values, failures, transferList, began }) {
  const all = [performance.now() - began, values, failures]
  const result = transferList.length === 0 ? all : move(all, transferList)
  given.add(result)
  return result
}

/**
 * What a batch gave and could not be sent, with failures where it was a value that cannot be cloned;
 * undefined if it was not a batch that gave it.
 * @param {any} result
 */
function withoutUncloneable(result) {
  if (result === null || typeof result !== 'object' || !given.has(result)) return undefined
  const [ms, values, failures] = isMoved(result) ? result.value : result
  const failed = new Map(failures)
  const transferList = isMoved(result) ? result.transferList : []
  const kept = values.map((/** @type {any} */ value, /** @type {number} */ i) => {
    try {
      return failed.has(i) ? undefined : structuredClone(value, { transfer: heldBy(value, transferList) })
    } catch (error) {
      failed.set(i, describe(error))
      return undefined
    }
  })
  return [ms, kept, [...failed]]
}

/**
 * @param {any} value
 * @param {any[]} transferList
 */
function heldBy(value, transferList) {
  return transferList.filter((each) => each === value || (ArrayBuffer.isView(value) && value.buffer === each))
}

module.exports = { forEach, withoutUncloneable }
