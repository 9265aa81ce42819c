'use strict'

// `pool.pipe`: a stream of Node.js around a generator. Written chunks are its input, and items that it yields are read.

const { Duplex } = require('node:stream')
const { invalidArgument } = require('../../errors')
const { Feed } = require('./feed')
const { stream } = require('./stream')

/**
 * @param {import('./map').Caller} caller
 * @param {unknown} task
 * @param {unknown} given options
 * @returns {Duplex}
 */
function pipe(caller, task, given) {
  /** The one chunk that is being written. @type {((error?: Error | null) => void) | undefined} */
  let written
  let refused = false
  let reading = false
  const accept = () => {
    const callback = written
    written = undefined
    callback?.()
  }
  const input = new Feed({
    start: () => {},
    taken: accept,
    cancel() {
      refused = true
      accept()
    }
  })
  const output = stream(caller, task, input, given)

  async function read() {
    if (reading) return
    reading = true
    try {
      for (let more = true; more; ) {
        const { value, done } = await output.next()
        if (value === null)
          throw invalidArgument('A generator behind a pipe must not yield null: it is the end of a stream')
        if (done) {
          // The generator has read all that it wanted.
          input.drop()
          refused = true
          accept()
        }
        more = duplex.push(done ? null : value) && !done
      }
    } catch (error) {
      duplex.destroy(/** @type {Error} */ (error))
    }
    reading = false
  }

  const duplex = new Duplex({
    objectMode: true,
    read,
    write(chunk, _, callback) {
      if (refused) return callback()
      written = callback
      input.push([chunk])
      // The generator begins with the first chunk, even if nobody reads yet.
      read()
    },
    final(callback) {
      input.end()
      callback()
    },
    destroy(error, callback) {
      input.drop(error === null ? undefined : { error })
      output.return().then(
        () => callback(error),
        () => callback(error)
      )
    }
  })
  return duplex
}

module.exports = { pipe }
