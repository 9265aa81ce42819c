'use strict'

// Progress that crosses machines: at most ten values per second and task. Of the values in between only the latest is
// sent.

const { encode, packedSize } = require('./encoding')

const EVERY = 100
/** Larger values are not sent as progress. */
const MOST = 4096

const { setTimeout, clearTimeout } = globalThis

class Throttle {
  #send
  /** @type {NodeJS.Timeout | undefined} */
  #timer
  /** @type {import('./types').Part | undefined} */
  #latest

  /** @param {(value: import('./types').Part) => void} send */
  constructor(send) {
    this.#send = send
  }

  /** @param {unknown} value */
  report = (value) => {
    const encoded = encode(value)
    if (packedSize(encoded) > MOST) return
    this.#latest = { text: encoded.text, parts: encoded.parts.map((part) => Buffer.from(part).toString('base64')) }
    if (this.#timer === undefined) this.#now()
  }

  #now() {
    if (this.#latest === undefined) {
      this.#timer = undefined
      return
    }
    this.#send(this.#latest)
    this.#latest = undefined
    this.#timer = setTimeout(() => this.#now(), EVERY).unref()
  }

  /** The task has ended: sends the last value now. */
  flush() {
    clearTimeout(this.#timer)
    if (this.#latest !== undefined) this.#send(this.#latest)
    this.#latest = undefined
  }
}

module.exports = { Throttle }
