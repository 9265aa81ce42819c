'use strict'

// What a worker writes, line by line, with a prefix that says whose it is.

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

  /** A line that was not ended is written as one. */
  end() {
    const rest = this.#rest + this.#decoder.end()
    this.#rest = ''
    if (rest !== '') this.#out.write(`${this.#prefix}${rest}\n`)
  }
}

module.exports = { Prefixed }
