'use strict'

// The output of processes, line by line, each with the process that wrote it. Lines stay whole. A slow reader of this
// program's output slows the processes down, too.

const { write } = require('../output')

const NEWLINE = 0x0a
/** A longer line is passed on in parts. */
const LONGEST = 2 ** 20

/**
 * @typedef {{ slot?: number, generation?: number, pid?: number }} Writer without a slot: a spare
 * @typedef {'stdout'|'stderr'} Name
 * @typedef {(writer: Writer, stream: Name, line: string) => string} Format
 */

/** @type {Record<'prefix'|'json', Format>} */
const FORMATS = {
  prefix: ({ slot, generation, pid }, _, line) =>
    `${slot === undefined ? 'spare' : `${slot}.${generation}`} ${pid} | ${line}\n`,
  json: ({ slot, generation, pid }, stream, line) =>
    `${JSON.stringify({ time: new Date().toISOString(), slot, generation, pid, stream, line })}\n`
}

/** One of the streams of this program, and the callers that wait until it can take more. */
class Outlet {
  #stream
  /** @type {Set<import('node:stream').Readable>} */
  #waiting = new Set()

  /** @param {NodeJS.WriteStream} stream */
  constructor(stream) {
    this.#stream = stream
    const goOn = () => {
      for (const source of this.#waiting) source.resume()
      this.#waiting.clear()
    }
    stream.on('drain', goOn)
    // The reader is gone: further lines are lost, and hold up no process.
    stream.on('error', goOn)
  }

  /** @param {string} text @param {import('node:stream').Readable} source pauses while the buffer is full */
  write(text, source) {
    if (write(this.#stream, text) || this.#stream.errored !== null || this.#stream.destroyed) return
    this.#waiting.add(source)
    source.pause()
  }
}

class Lines {
  #format
  #outlets = { stdout: new Outlet(process.stdout), stderr: new Outlet(process.stderr) }
  /** The streams that have not ended yet. @type {Set<Promise<unknown>>} */
  #open = new Set()

  /** @param {'prefix'|'json'} output */
  constructor(output) {
    this.#format = FORMATS[output]
  }

  /** Resolves when the output of ended processes has been passed on. */
  async ended() {
    await Promise.all(this.#open)
  }

  /** @param {import('node:child_process').ChildProcess} child @param {Writer} writer */
  follow(child, writer) {
    for (const name of /** @type {Name[]} */ (['stdout', 'stderr'])) {
      const stream = child[name]
      if (stream === null) continue
      const end = this.#pass(stream, name, writer)
      this.#open.add(end)
      end.then(() => this.#open.delete(end))
    }
  }

  /** @param {import('node:stream').Readable} stream @param {Name} name @param {Writer} writer @returns {Promise<void>} */
  #pass(stream, name, writer) {
    /** The beginning of an unfinished line. */
    let rest = Buffer.alloc(0)
    const tell = (/** @type {Buffer} */ bytes) =>
      this.#outlets[name].write(this.#format(writer, name, bytes.toString()), stream)
    stream.on('data', (/** @type {Buffer} */ chunk) => {
      let from = 0
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        tell(Buffer.concat([rest, chunk.subarray(from, at)]))
        rest = Buffer.alloc(0)
        from = at + 1
      }
      rest = Buffer.concat([rest, chunk.subarray(from)])
      if (rest.length < LONGEST) return
      tell(rest)
      rest = Buffer.alloc(0)
    })
    return new Promise((resolve) => {
      stream.on('error', () => {})
      stream.once('close', () => {
        if (rest.length > 0) tell(rest)
        resolve()
      })
    })
  }
}

module.exports = { Lines, FORMATS }
