'use strict'

// Connections that were handed to a process, which never took them.
//
// With round robin the primary accepts connections, and hands each to a process. The process confirms that it took the
// connection before any byte is read. Core waits for this answer for ever, even if the process is dead. This code
// remembers every hand-over without an answer. When the process has ended, it gives core the answer "not accepted", and
// core hands the connection to another process. If no other process serves that port, core has closed the port, and
// would put the connection into a list that it never reads again. The connection then waits for the next process (see
// ports.js), or is closed if none will come. The same holds for a connection that the last process of a port refuses as
// it leaves.
//
// This relies on the form of core's internal messages. If the first process listens and no message of that form was
// seen, all of this is turned off.

const { placeOf, drop } = require('./ports')

/**
 * @typedef {object} Ledger
 * @property {Map<number, { key: string, handle: import('./ports').Handle, port: import('./ports').Port|undefined }>} pending
 * @property {Set<string>} keys
 * @property {Map<number, string>} queries
 * @property {boolean} seen
 * @property {(message: { seq: number, key: string }, handle: import('./ports').Handle, rest: unknown[]) => unknown} give hands
 * over a connection
 */

class Handoffs {
  /** @type {Map<any, Ledger>} */
  #ledgers = new Map()
  #off = false
  #ports
  #fresh
  #find

  /**
   * @param {import('./ports').Ports} ports
   * @param {object} [sessions]
   * @param {import('../sticky/fresh').Fresh} sessions.fresh knows whose session a connection belongs to
   * @param {(owner: import('../sticky/ids').Owner) => import('node:cluster').Worker|undefined} sessions.find
   */
  constructor(ports, sessions) {
    this.#ports = ports
    this.#fresh = sessions?.fresh
    this.#find = sessions?.find
  }

  /** @param {any} worker as core made it, just forked */
  follow(worker) {
    if (this.#off) return
    const child = worker.process
    /** @type {Ledger} */
    const ledger = { pending: new Map(), keys: new Set(), queries: new Map(), seen: false, give }
    this.#ledgers.set(worker, ledger)
    const ports = this.#ports
    const send = child.send
    /** @type {Ledger['give']} */
    function give(message, handle, rest) {
      ledger.pending.set(message.seq, { key: message.key, handle, port: ports.get(message.key) })
      return Reflect.apply(send, child, [message, handle, ...rest])
    }
    const ownerOf = (/** @type {string} */ key, /** @type {import('./ports').Handle} */ handle) =>
      this.#ownerOf(key, handle) ?? ledger
    child.send = function (/** @type {any} */ message, /** @type {any} */ handle, /** @type {any[]} */ ...rest) {
      if (message?.cmd === 'NODE_CLUSTER') {
        if (message.act === 'newconn' && Number.isInteger(message.seq) && handle) {
          // Core recognises the answer by its number, whichever process sends it.
          return ownerOf(message.key, handle).give(message, handle, rest)
        }
        if (message.ack !== undefined && message.key !== undefined) {
          ledger.seen = true
          ledger.keys.add(message.key)
          const place = ledger.queries.get(message.ack)
          if (place !== undefined) ports.name(place, message.key)
          ledger.queries.delete(message.ack)
        }
      }
      return Reflect.apply(send, this, [message, handle, ...rest])
    }
    /** A connection that has just lost its port. @type {{ key: string, handle: import('./ports').Handle }|undefined} */
    let homeless
    child.prependListener('internalMessage', (/** @type {any} */ message) => {
      if (message?.cmd !== 'NODE_CLUSTER') return
      if (message.ack !== undefined) {
        const given = ledger.pending.get(message.ack)
        ledger.pending.delete(message.ack)
        if (message.accepted === false && given?.port?.closed) homeless = given
      } else if (message.act === 'close') ledger.keys.delete(message.key)
      else if (message.act === 'queryServer') ledger.queries.set(message.seq, placeOf(message))
    })
    child.on('internalMessage', () => {
      if (homeless === undefined) return
      const { key, handle } = homeless
      homeless = undefined
      if (!ports.keep(key, handle)) drop(handle)
    })
  }

  /** The process whose session a connection belongs to, if it serves that port. @returns {Ledger|undefined} */
  #ownerOf(/** @type {string} */ key, /** @type {import('./ports').Handle} */ handle) {
    const owner = this.#fresh?.ownerOf(handle)
    const worker = owner && this.#find?.(owner)
    const ledger = this.#ledgers.get(worker)
    return worker?.isConnected() && ledger?.keys.has(key) ? ledger : undefined
  }

  /**
   * Whether core's messages have the known form. Called when a process listens.
   * @param {any} worker
   * @returns {boolean} false if they have not; only once
   */
  check(worker) {
    if (this.#off || this.#ledgers.get(worker)?.seen !== false) return true
    this.#off = true
    this.#ledgers.clear()
    return false
  }

  /** How many connections wait for a process to take them. */
  get pending() {
    let count = 0
    for (const { pending } of this.#ledgers.values()) count += pending.size
    return count
  }

  /**
   * The channel is closed: no answer can come, and core has just taken the process off its lists.
   * @param {any} worker
   * @returns {{ resent: number, kept: number, closed: number }}
   */
  settle(worker) {
    const ledger = this.#ledgers.get(worker)
    const result = { resent: 0, kept: 0, closed: 0 }
    if (ledger === undefined) return result
    this.#ledgers.delete(worker)
    for (const [seq, { key, handle, port }] of ledger.pending) {
      // Core closes a port that no process has any more.
      const served =
        port === undefined
          ? [...this.#ledgers].some(([other, { keys }]) => other.isConnected() && keys.has(key))
          : !port.closed
      if (served) {
        result.resent++
        worker.process.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack: seq, accepted: false })
      } else if (this.#ports.keep(key, handle)) {
        result.kept++
      } else {
        result.closed++
        drop(handle)
      }
    }
    return result
  }
}

module.exports = { Handoffs }
