'use strict'

// Several inputs of `pool.map` that came as one task. The function is called for one after another, and each has its
// own outcome.

const { context } = require('./context')
const { cloneByEngine } = require('../native/primordials')
const { isMoved, move, unwrap } = require('../payload/move')
const { describe } = require('../payload/thrown')
const { explained } = require('./explained')

/**
 * @typedef {object} Batch
 * @property {import('./script').Run} run
 * @property {unknown[]} inputs
 * @property {InstanceType<typeof import('./context').Running>} running
 * @property {unknown[]} values
 * @property {Failure[]} failures
 * @property {Transferable[]} transferList
 * @property {number} began
 */
/** @typedef {import('node:worker_threads').Transferable} Transferable */
/** @typedef {[index: number, description: import('../payload/thrown').Description]} Failure */
/** @typedef {[ms: number, values: unknown[], failures: Failure[]]} Outcome */

/** The results of batches, until they are sent. @type {WeakSet<object>} */
const given = new WeakSet()

/**
 * The function for several inputs at once. It gives `[ms, values, failures]`.
 * @param {import('./script').Run} run
 */
function forEach(run) {
  context.follow()
  return (/** @type {unknown[]} */ inputs) => {
    /** @type {Batch} */
    const batch = {
      run,
      inputs,
      running: /** @type {Batch['running']} */ (context.current()),
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
          if (typeof (/** @type {{ then?: unknown }} */ (value).then) === 'function') return rest(batch, value)
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
 * Processes the other inputs after the first promise.
 * @param {Batch} batch
 * @param {unknown} pending
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
 * @param {unknown} value
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
  /** @type {Outcome} */
  const all = [performance.now() - began, values, failures]
  const result = transferList.length === 0 ? all : move(all, transferList)
  given.add(/** @type {object} */ (result))
  return result
}

/**
 * The result of a batch that could not be sent, with a failure in place of each value that cannot be cloned; undefined
 * if it is not the result of a batch.
 * @param {unknown} result
 * @param {number} target the number of its function
 * @returns {Outcome | undefined}
 */
function withoutUncloneable(result, target) {
  if (result === null || typeof result !== 'object' || !given.has(result)) return undefined
  const { value, transferList } = isMoved(result) ? unwrap(result) : { value: result, transferList: [] }
  const [ms, values, failures] = /** @type {Outcome} */ (value)
  const failed = new Map(failures)
  const kept = values.map((value, i) => {
    try {
      return failed.has(i) ? undefined : cloneByEngine(value, { transfer: heldBy(value, transferList) })
    } catch (error) {
      failed.set(i, describe(explained(error, value, 'result', target)))
      return undefined
    }
  })
  return [ms, kept, [...failed]]
}

/**
 * @param {unknown} value
 * @param {Transferable[]} transferList
 */
function heldBy(value, transferList) {
  return transferList.filter((each) => each === value || (ArrayBuffer.isView(value) && value.buffer === each))
}

module.exports = { forEach, withoutUncloneable }
