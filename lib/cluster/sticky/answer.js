'use strict'

// The answer that comes over a link: its head, its body and its trailers. It was written by Node.js in another process
// of this cluster, so its form is known. Only what shows where the answer ends is looked at.

const STATUS_LINE = /^HTTP\/1\.1 (\d{3}) ?(.*)$/
const CR = 13
const EMPTY = Buffer.alloc(0)

/**
 * @typedef {object} Head
 * @property {number} status
 * @property {string} message
 * @property {string[]} rawHeaders names and values in turn
 * @property {boolean} keeps whether the connection takes another request after this answer
 * @typedef {object} Listener
 * @property {(head: Head) => void} onInformation an answer of the kind 1xx, before the answer
 * @property {(head: Head) => void} onHead
 * @property {(chunk: Buffer) => void} onData
 * @property {(rawTrailers: string[], chunk: Buffer|undefined) => void} onEnd the chunk is the last part of the body
 */

/** @typedef {'head'|'length'|'size'|'chunk'|'behind'|'trailers'|'close'|'over'} Part */

class Answer {
  #listener
  #bodyless
  /** @type {Part} what comes next */
  #part = 'head'
  /** Bytes of the body, or of its chunk, that are to come. */
  #left = 0
  /** The beginning of a part that has not come in full. */
  #begun = /** @type {Buffer} */ (EMPTY)

  /** @param {Listener} listener @param {boolean} bodyless whether the answer has a head only, as that to HEAD */
  constructor(listener, bodyless) {
    this.#listener = listener
    this.#bodyless = bodyless
  }

  /** Takes the next bytes. Throws if they are not of an answer. @param {Buffer} chunk */
  read(chunk) {
    let rest = this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk])
    this.#begun = EMPTY
    while (rest.length > 0) {
      const taken = this.#take(rest)
      if (taken < 0) {
        this.#begun = rest
        return
      }
      rest = taken === rest.length ? EMPTY : rest.subarray(taken)
    }
  }

  /** The connection has been closed. False if the answer was not complete. */
  close() {
    if (this.#part === 'close') this.#end([], undefined)
    return this.#part === 'over'
  }

  /** How many bytes it has taken; negative if the part has not come in full. @returns {number} */
  #take(/** @type {Buffer} */ bytes) {
    switch (this.#part) {
      case 'head': {
        const end = bytes.indexOf('\r\n\r\n')
        if (end < 0) return -1
        this.#begin(bytes.latin1Slice(0, end))
        return end + 4
      }
      case 'length': {
        const chunk = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes
        this.#left -= chunk.length
        if (this.#left === 0) this.#end([], chunk)
        else this.#listener.onData(chunk)
        return chunk.length
      }
      case 'size': {
        const end = bytes.indexOf(CR)
        if (end < 0 || end + 1 === bytes.length) return -1
        this.#left = parseInt(bytes.latin1Slice(0, end), 16)
        if (!(this.#left >= 0)) throw new Error('no size of a chunk')
        this.#part = this.#left === 0 ? 'trailers' : 'chunk'
        return end + 2
      }
      case 'chunk': {
        const chunk = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes
        this.#left -= chunk.length
        if (this.#left === 0) this.#part = 'behind'
        this.#listener.onData(chunk)
        return chunk.length
      }
      case 'behind':
        if (bytes.length < 2) return -1
        this.#part = 'size'
        return 2
      case 'trailers': {
        if (bytes.length < 2) return -1
        if (bytes[0] === CR) {
          this.#end([], undefined)
          return 2
        }
        const end = bytes.indexOf('\r\n\r\n')
        if (end < 0) return -1
        this.#end(fieldsOf(bytes.latin1Slice(0, end).split('\r\n')), undefined)
        return end + 4
      }
      case 'close':
        this.#listener.onData(bytes)
        return bytes.length
      case 'over':
        throw new Error('bytes after the answer')
    }
  }

  #begin(/** @type {string} */ text) {
    const [line, ...lines] = text.split('\r\n')
    const found = STATUS_LINE.exec(line)
    if (found === null) throw new Error('no answer')
    const [status, message] = [Number(found[1]), found[2]]
    const head = { status, message, rawHeaders: fieldsOf(lines), keeps: true }
    if (status < 200) return this.#listener.onInformation(head)
    this.#part = this.#framing(head)
    if (this.#part === 'close') head.keeps = false
    this.#listener.onHead(head)
    if (this.#part === 'over') this.#listener.onEnd([], undefined)
  }

  /** @returns {Part} */
  #framing(/** @type {Head} */ head) {
    const { status, rawHeaders } = head
    let chunked = false
    let length = -1
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const value = rawHeaders[at + 1]
      switch (rawHeaders[at].toLowerCase()) {
        case 'connection':
          if (/\bclose\b/i.test(value)) head.keeps = false
          break
        case 'transfer-encoding':
          if (/\bchunked\b/i.test(value)) chunked = true
          break
        case 'content-length':
          length = Number(value)
      }
    }
    if (this.#bodyless || status === 204 || status === 304) return 'over'
    if (chunked) return 'size'
    if (length < 0) return 'close'
    this.#left = length
    return length === 0 ? 'over' : 'length'
  }

  #end(/** @type {string[]} */ rawTrailers, /** @type {Buffer|undefined} */ chunk) {
    this.#part = 'over'
    this.#listener.onEnd(rawTrailers, chunk)
  }
}

/** @param {string[]} lines */
function fieldsOf(lines) {
  /** @type {string[]} */
  const raw = []
  for (const line of lines) {
    const at = line.indexOf(':')
    raw.push(line.slice(0, at), line.slice(line[at + 1] === ' ' ? at + 2 : at + 1))
  }
  return raw
}

module.exports = { Answer }
