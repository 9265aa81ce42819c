'use strict'

// Connections that the primary has just accepted. If the first bytes say which session a connection belongs to, it is
// given to the process of the session at once, so nothing has to be relayed. The bytes are only peeked at. A connection
// that tells nothing (TLS, a silent client) goes to any process. This is only for speed; the relay ensures the right
// process.

const native = require('../../native/load')
const { ownerOf, readerOf, whereOf } = require('./reading')

/** How many bytes of a head are peeked at. */
const HEAD = 8192
const TLS = 0x16
/**
 * How long the first bytes of a connection are awaited, in milliseconds. On a busy machine a client may get no CPU for
 * long after it has connected. The server may be one that speaks first, if it is not known to wait for its clients.
 */
const PATIENCE = { client: 2000, either: 100 }
/** If more connections than this say nothing, no others are awaited. */
const MOST = 1000

/**
 * @typedef {import('../primary/ports').Handle} Handle
 * @typedef {import('./ids').Owner} Owner
 */

class Fresh {
  #read
  #whole
  #ids
  #next = 0
  /**
   * The waiting connections by the names that the native side has for them.
   * @type {Map<number, { client: Handle, then: () => void }>}
   */
  #waiting = new Map()
  /** The owners of connections that have not been handed to a process yet. @type {WeakMap<Handle, Owner>} */
  #owners = new WeakMap()
  /** @type {Pick<import('../../native/addon').Environment, 'awaitBytes' | 'takeAwaited' | 'endAwaiting'>|undefined} */
  #bound

  /** @param {import('./reading').Sticky} sticky @param {import('./ids').Ids} ids */
  constructor(sticky, ids) {
    this.#ids = ids
    this.#read = readerOf(whereOf(sticky), typeof sticky === 'function' ? sticky : undefined)
    // An id in the first line may have come before the rest of the head.
    this.#whole = !('query' in whereOf(sticky))
  }

  /**
   * Waits a little for the first bytes of a connection.
   * @param {Handle} client
   * @param {keyof typeof PATIENCE} first which end may speak first
   * @param {() => void} then
   */
  meet(client, first, then) {
    if (client.fd < 0) return then()
    if (this.#look(client)) return then()
    if (this.#waiting.size >= MOST) return then()
    const bound = this.#open()
    const name = this.#next++ >>> 0
    if (bound.awaitBytes?.(client.fd, name, PATIENCE[first]) !== true) return then()
    this.#waiting.set(name, { client, then })
  }

  /** The owner of the connection's session, if its first bytes told. May be asked once. @param {Handle} client */
  ownerOf(client) {
    const owner = this.#owners.get(client)
    this.#owners.delete(client)
    return owner
  }

  /** Lets all waiting connections go. */
  flush() {
    for (const [name, { then }] of this.#waiting) {
      this.#waiting.delete(name)
      then()
    }
  }

  close() {
    this.flush()
    this.#bound?.endAwaiting?.()
  }

  #open() {
    if (this.#bound === undefined) {
      const { bound, setFirstBytesRing } = require('../../native/environment')
      setFirstBytesRing(() => this.#arrived())
      this.#bound = bound
    }
    return this.#bound
  }

  #arrived() {
    for (const name of this.#bound?.takeAwaited?.() ?? []) {
      const waiting = this.#waiting.get(name)
      if (waiting === undefined) continue
      this.#waiting.delete(name)
      this.#look(waiting.client)
      waiting.then()
    }
  }

  /** Notes the owner of a connection. False if no byte has come yet. */
  #look(/** @type {Handle} */ client) {
    const bytes = native.peek(client.fd, HEAD)
    if (bytes === null) return false
    if (bytes.length === 0 || bytes[0] === TLS) return true
    try {
      const head = headOf(bytes.toString('latin1'), this.#whole)
      const owner = head && ownerOf(this.#ids, this.#read, head)
      if (owner !== undefined) this.#owners.set(client, owner)
    } catch {
      // The function of the option throws again in the process, where the error is reported.
    }
    return true
  }
}

/**
 * The part of a head that may contain an id; undefined if it has not come in full.
 * @param {string} text
 * @param {boolean} whole whether the headers are needed
 * @returns {import('./reading').Head|undefined}
 */
function headOf(text, whole) {
  const end = text.indexOf('\r\n\r\n')
  if (whole && end < 0) return undefined
  const [first, ...lines] = text.slice(0, end < 0 ? text.length : end).split('\r\n')
  const found = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(first)
  if (found === null) return undefined
  /** @type {Record<string, string>} */
  const headers = {}
  for (const line of lines) {
    const at = line.indexOf(':')
    const name = line.slice(0, at).toLowerCase()
    const value = line.slice(at + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  return { method: found[1], url: found[2], headers }
}

module.exports = { Fresh, headOf }
