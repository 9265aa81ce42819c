'use strict'

// The output of a worker, line by line, with a prefix that names the worker.

const { StringDecoder } = require('node:string_decoder')

class Prefixed {
  #out
  #prefix
  #decoder = new StringDecoder('utf8')
  #rest = ''

  /**
   * @param {NodeJS.WritableStream} out
   * @param {string} prefix
   */
  constructor(out, prefix) {
    this.#out = out
    this.#prefix = prefix
  }

  /** @param {Buffer} chunk */
  write(chunk) {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = /** @type {string} */ (lines.pop())
    if (lines.length > 0) this.#out.write(lines.map((line) => `${this.#prefix}${line}\n`).join(''))
  }

  /** Writes an unfinished last line as a line. */
  end() {
    const rest = this.#rest + this.#decoder.end()
    this.#rest = ''
    if (rest !== '') this.#out.write(`${this.#prefix}${rest}\n`)
  }
}

module.exports = { Prefixed }
