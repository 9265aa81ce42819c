'use strict'

// `fleet.map`: many inputs as few tasks. A task of the engine costs as much as a thousand small calls of a pool. So a
// chunk has as many inputs as make enough work, estimated from the chunks that have come back.

const { setMaxListeners } = require('node:events')
const { AbortError } = require('../errors')
const { revive } = require('../payload/thrown')

/** Milliseconds of work that a chunk should have. */
const WORTH = 200
const MOST_INPUTS = 1000
/** How many chunks are on their way at once. */
const AT_ONCE = 16

/**
 * @typedef {{ ends: [fine: boolean, value: unknown][], ms: number }} Answer
 */

/**
 * @param {(inputs: unknown[], signal: AbortSignal) => Promise<unknown>} run
 * @param {Iterable<unknown> | AsyncIterable<unknown>} inputs
 * @param {{ signal?: AbortSignal, concurrency?: number, chunk?: number | 'auto' }} options
 * @returns {AsyncGenerator<unknown, void, undefined>} the results of the task for each input, in order
 */
async function* map(run, inputs, { signal: given, concurrency = AT_ONCE, chunk = 'auto' }) {
  const ending = new AbortController()
  const signal = given === undefined ? ending.signal : AbortSignal.any([given, ending.signal])
  // Each chunk on its way listens to the signal.
  setMaxListeners(0, signal)
  const source = chunks(inputs, () => size)
  /** @type {Promise<Answer>[]} */
  const underway = []
  let size = chunk === 'auto' ? 1 : chunk
  let done = false
  const fill = async () => {
    while (!done && underway.length < concurrency) {
      const next = await source.next()
      if (next.done) done = true
      else {
        const answer = run(next.value, signal).then((value) => {
          const { ends, ms } = /** @type {Answer} */ (value)
          if (chunk === 'auto') size = better(size, ends.length, ms)
          return /** @type {Answer} */ (value)
        })
        answer.catch(() => {})
        underway.push(answer)
      }
    }
  }
  try {
    await fill()
    for (let first; (first = underway.shift()) !== undefined; ) {
      const { ends } = await first
      for (const [fine, value] of ends) {
        if (!fine) throw revive(/** @type {never} */ (value))
        yield value
      }
      await fill()
    }
  } finally {
    ending.abort(new AbortError('The map has ended'))
    await source.return(undefined)
  }
}

/**
 * How many inputs the next chunks have. The number grows tenfold at most, since a first chunk also loads the script.
 * @param {number} size
 * @param {number} inputs
 * @param {number} ms that they took
 */
function better(size, inputs, ms) {
  const fitting = Math.ceil((WORTH / Math.max(ms, 0.01)) * inputs)
  return Math.max(1, Math.min(MOST_INPUTS, fitting, size * 10))
}

/**
 * @param {Iterable<unknown> | AsyncIterable<unknown>} inputs
 * @param {() => number} size
 * @returns {AsyncGenerator<unknown[], void, undefined>}
 */
async function* chunks(inputs, size) {
  let chunk = []
  for await (const input of inputs) {
    chunk.push(input)
    if (chunk.length < size()) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

module.exports = { map }
