'use strict'

// A task makes nested calls to its own pool. It may await them without blocking the pool: while any of them is in the
// queue or runs, the task has left its place.

const { bound } = require('../native/environment')
const { abortOf, listen } = require('../pool/task/abort')
const { AbortError, invalidArgument, RspoolError } = require('../errors')
const { Lookup } = require('../pool/task/lookup')
const { runOptions, taskOptions } = require('../pool/options')
const { PORT_MESSAGE } = require('../payload/port')
const { revive } = require('../payload/thrown')
const { explain } = require('../payload/uncloneable')
const { describeTarget } = require('../pool/observe/describe-target')
const { NATIVE } = require('../pool/task/targets')
const { context } = require('./context')
const { setWaits } = require('./turns')

/**
 * @typedef {object} Nested
 * @property {Running} outer the running task that has called
 * @property {boolean} native
 * @property {boolean} queued
 * @property {(value: unknown) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {(() => void) | undefined} unlisten
 */

/** @typedef {InstanceType<typeof import('./context').Running>} Running */
/**
 * A message of the owner about a nested task.
 * @typedef {import('../payload/messages').Of<import('../payload/messages').ToIsolate, typeof PORT_MESSAGE.NESTED_QUEUED | typeof PORT_MESSAGE.NESTED_DONE>} Told
 */

/** @type {Map<number, Nested>} */
const pending = new Map()
let last = 0
/** @type {Lookup | undefined} */
let lookup

/** @returns {Lookup} */
function own() {
  return (lookup ??= new Lookup(context.script.filename, context.script.name))
}

/** The task that is calling. */
function caller() {
  context.share()
  const outer = context.current()
  if (outer === undefined || !context.runs(outer))
    throw new RspoolError('ERR_RSPOOL_NO_TASK', 'Only a running task can have its pool run another one')
  return outer
}

/**
 * As the pool's `run`.
 * @param {unknown} [input]
 * @param {unknown} [options]
 * @returns {Promise<unknown>}
 */
async function run(input, options) {
  const outer = caller()
  const { name, filename, ...given } = runOptions(options)
  return send(outer, own().script(name, filename), input, given)
}

/**
 * As the pool's `runTask`.
 * @param {unknown} task
 * @param {unknown} [input]
 * @param {unknown} [options]
 * @returns {Promise<unknown>}
 */
async function runTask(task, input, options) {
  const outer = caller()
  const target = own().of(task)
  return send(outer, target, input, taskOptions(options, target.lane === NATIVE))
}

/**
 * @param {Running} outer
 * @param {InstanceType<typeof import('../pool/task/targets').Target>} target
 * @param {unknown} input
 * @param {import('../pool/options/task-options').TaskOptions} options checked
 * @returns {Promise<unknown>}
 */
function send(outer, target, input, { signal, transferList, ...given }) {
  if (given.onProgress !== undefined)
    throw invalidArgument("Task options: 'onProgress' is not there for a task that a task has run")
  const aborted = abortOf(signal)
  if (aborted !== undefined) throw new AbortError(aborted.reason)
  const id = ++last
  return new Promise((resolve, reject) => {
    const native = target.lane === NATIVE
    const list = transferList ?? []
    // Native tasks have no context.
    if (!native && context.travelling !== undefined) given.context = context.travelling(given.context)
    const { ticket, generation } = outer
    // One message, so that nothing is moved unless everything can be sent.
    try {
      outer.post(
        native
          ? [PORT_MESSAGE.NESTED, ticket, generation, id, true, target.id, input, given, transferList]
          : [PORT_MESSAGE.NESTED, ticket, generation, id, false, target.text, input, given, transferList],
        list
      )
    } catch (error) {
      throw explain(error, input, 'input', describeTarget(target).task)
    }
    bound.look()
    /** @type {Nested} */
    const nested = { outer, native, queued: false, resolve, reject, unlisten: undefined }
    pending.set(id, nested)
    if (signal !== undefined) nested.unlisten = listen(signal, (reason) => abort(id, reason))
  })
}

/**
 * @param {number} id
 * @param {unknown} reason
 */
function abort(id, reason) {
  const nested = pending.get(id)
  if (nested === undefined) return
  nested.outer.post([PORT_MESSAGE.NESTED_ABORT, id], [])
  bound.look()
  done(id, nested)
  nested.reject(new AbortError(reason))
}

/**
 * @param {number} id
 * @param {Nested} nested
 */
function done(id, { outer, queued, unlisten }) {
  pending.delete(id)
  unlisten?.()
  if (queued && --outer.nested === 0) setWaits(outer, false)
}

/** @param {Told} message */
function received(message) {
  const id = message[1]
  const nested = pending.get(id)
  if (nested === undefined) return
  if (message[0] === PORT_MESSAGE.NESTED_QUEUED) {
    nested.queued = true
    if (++nested.outer.nested === 1) setWaits(nested.outer, true)
    return
  }
  done(id, nested)
  const value = message[3]
  if (!message[2]) nested.reject(revive(/** @type {import('../payload/thrown').Description} */ (value)))
  else nested.resolve(nested.native && value instanceof Uint8Array ? asBuffer(value) : value)
}

/**
 * Restores the Buffer of a native task, which a port has made a Uint8Array.
 * @param {Uint8Array} bytes
 */
function asBuffer(bytes) {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : bytes
}

module.exports = { run, runTask, received }
