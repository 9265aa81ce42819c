'use strict'

// The output of the helper itself, and the output that must be written before a program ends. The reader of standard
// error may be gone (a log shipper that crashed, a restarted journald). That must end no process.

const { format } = require('node:util')
const { pause } = require('../later')

const swallow = () => {}

/**
 * Writes a text. An error of the stream, now or later, is ignored.
 * @param {NodeJS.WriteStream} stream
 * @param {string} text
 * @returns {boolean} false if the buffer of the stream is full
 */
function write(stream, text) {
  try {
    // The error of a write may come after its callback, so the listener stays.
    if (!stream.listeners('error').includes(swallow)) stream.on('error', swallow)
    return stream.write(text)
  } catch {
    return true
  }
}

/** @param {unknown[]} parts */
function complain(...parts) {
  write(process.stderr, `${format(...parts)}\n`)
}

/**
 * A function that takes a line and never throws.
 * @param {false|((line: string) => unknown)|undefined} given the option `log`
 * @param {(line: string) => string} [format] makes a whole line for standard error
 * @returns {(line: string) => void}
 */
function makeLog(given, format = (line) => `${line}\n`) {
  if (given === false) return () => {}
  if (given === undefined) return (line) => void write(process.stderr, format(`rspool: ${line}`))
  return (line) => {
    try {
      given(line)
    } catch (error) {
      complain(`rspool: ${line}`)
      complain("rspool: the option 'log' threw:", error)
    }
  }
}

/**
 * Resolves when standard output and error have written everything, at the latest after `ms` milliseconds.
 * `process.exit()` drops output that a slow reader has not read yet.
 * @param {number} [ms]
 */
async function flush(ms = Infinity) {
  const { done, stop } = pause(ms)
  await Promise.race([done, Promise.all([process.stdout, process.stderr].map(written))])
  stop()
}

/** @param {NodeJS.WriteStream} stream @returns {Promise<void>} */
function written(stream) {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) return resolve()
    // An error ends the wait, too.
    stream.once('error', () => resolve())
    stream.write('', () => resolve())
  })
}

module.exports = { write, complain, makeLog, flush }
