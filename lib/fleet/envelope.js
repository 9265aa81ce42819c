'use strict'

// The envelope of a task. It names a function of an allow-list, and never a file or code. Both ends copy its options by
// name.

const { createHmac, timingSafeEqual } = require('node:crypto')
const { InputTooLargeError, RspoolError } = require('../errors')
const { malformed } = require('./encoding')

/** @typedef {import('./types').Envelope} Envelope */

const VERSION = 1
/** The most bytes of an envelope, which BullMQ parses before other code can check it. */
const MOST = 64 * 1024

/** The checks of the options that travel. @type {Record<string, (value: unknown) => boolean>} */
const OPTIONS = Object.assign(Object.create(null), {
  timeout: (/** @type {unknown} */ value) => typeof value === 'number' && value > 0,
  deadline: (/** @type {unknown} */ value) => typeof value === 'number',
  group: (/** @type {unknown} */ value) => typeof value === 'string' && value !== '',
  affinity: (/** @type {unknown} */ value) => typeof value === 'string' || Number.isFinite(value),
  context: (/** @type {unknown} */ value) => value !== null && typeof value === 'object'
})

/**
 * @param {Record<string, unknown>} given
 * @returns {import('./types').TaskSettings}
 */
function travelling(given) {
  const options = /** @type {Record<string, unknown>} */ ({})
  for (const [name, holds] of Object.entries(OPTIONS))
    if (Object.hasOwn(given, name) && holds(given[name])) options[name] = given[name]
  return options
}

/**
 * @param {Omit<Envelope, 'v' | 'mac'>} contents
 * @param {string | undefined} secret
 * @returns {Envelope}
 */
function seal(contents, secret) {
  /** @type {Envelope} */
  const envelope = { v: VERSION, ...contents }
  if (secret !== undefined) envelope.mac = mac(envelope, secret)
  const size = Buffer.byteLength(JSON.stringify(envelope))
  if (size > MOST)
    throw new InputTooLargeError(
      `The envelope of the task has ${size} bytes, and may have ${MOST}: shorten its options`
    )
  return envelope
}

/**
 * @param {Envelope} envelope
 * @param {string} secret
 */
function mac({ v, task, input, many, options, reply, orphan, retries }, secret) {
  const text = JSON.stringify([v, task, input, many ?? false, options ?? {}, reply ?? '', orphan ?? 0, retries])
  return createHmac('sha256', secret).update(text).digest('base64')
}

/** @param {unknown} given */
function isNewer(given) {
  const { v } = /** @type {{ v?: unknown }} */ (given ?? {})
  return typeof v === 'number' && v > VERSION
}

/**
 * Checks an envelope that came from the engine.
 * @param {unknown} given
 * @param {string | undefined} secret
 * @returns {Envelope}
 */
function open(given, secret) {
  if (given === null || typeof given !== 'object') throw malformed('the envelope is none')
  const {
    v,
    task,
    input,
    many,
    options,
    reply,
    orphan,
    retries,
    mac: signed
  } = /** @type {Record<string, unknown>} */ (given)
  if (v !== VERSION) throw malformed(`the envelope is of version ${String(v).slice(0, 20)}`)
  if (typeof task !== 'string') throw malformed('the envelope names no task')
  if (reply !== undefined && typeof reply !== 'string') throw malformed('its caller has no name')
  if (!Number.isInteger(retries) || Number(retries) < 0) throw malformed('its retries are no count')
  const settings = options !== null && typeof options === 'object' ? options : {}
  /** @type {Envelope} */
  const envelope = { v, task, input: /** @type {never} */ (input), retries: Number(retries) }
  if (many === true) envelope.many = true
  if (Object.keys(settings).length > 0) envelope.options = travelling(/** @type {never} */ (settings))
  if (reply !== undefined) envelope.reply = reply
  if (typeof orphan === 'number' && orphan >= 1000) envelope.orphan = orphan
  if (secret !== undefined && !isSigned(envelope, secret, signed))
    throw new RspoolError('ERR_RSPOOL_BAD_ENVELOPE', 'The task is not signed with the secret of the fleet')
  return envelope
}

/**
 * @param {Envelope} envelope
 * @param {string} secret
 * @param {unknown} signed
 */
function isSigned(envelope, secret, signed) {
  const right = Buffer.from(mac(envelope, secret))
  const found = Buffer.from(String(signed))
  return found.length === right.length && timingSafeEqual(found, right)
}

module.exports = { seal, open, isNewer, travelling }
