'use strict'

// An adapter of socket.io: a broadcast of one process reaches the clients of all processes of the cluster. The protocol
// between the servers is socket.io's own (ClusterAdapterWithHeartbeat); its messages go over topics of the cluster.

const { createHash } = require('node:crypto')
const { createRequire } = require('node:module')
const { RspoolError, invalidArgument } = require('../errors')
const { readOptions, integer, show, typed } = require('../pool/options/validate')
const { EXITS } = require('../cluster/topics')

/**
 * @typedef {Pick<import('../cluster/topics').Topics, 'publish' | 'subscribe'>} Context
 * @typedef {import('socket.io-adapter').ClusterMessage & { uid: string }} Message from one server to all
 * @typedef {import('socket.io-adapter').ClusterResponse & { uid: string }} Answer from one server to another
 */

/** The adapters of the socket.io that the program uses. @returns {typeof import('socket.io-adapter')} */
function adapters() {
  try {
    return createRequire(require.resolve('socket.io'))('socket.io-adapter')
  } catch (cause) {
    throw new RspoolError('ERR_RSPOOL_UNSUPPORTED', 'rspool/socket.io needs the package socket.io, 4.7.5 or later', {
      cause
    })
  }
}

/** The topic of a namespace, whose name may be of any length. @param {string} name */
function topicOf(name) {
  return `socket.io ${Buffer.byteLength(name) <= 100 ? name : createHash('sha256').update(name).digest('base64url')}`
}

const RULES = {
  heartbeatInterval: integer(1, 2 ** 31 - 1),
  heartbeatTimeout: integer(1, 2 ** 31 - 1),
  onMissed: typed('function')
}

/**
 * Makes the adapter for `io.adapter()`, or for the option `adapter` of a server.
 * @param {Context} context of a process of the cluster
 * @param {unknown} [given]
 */
function createAdapter(context, given) {
  if (typeof context?.publish !== 'function' || typeof context.subscribe !== 'function')
    throw invalidArgument(`createAdapter: expected the context of a process of a cluster, got ${show(context)}`)
  const { onMissed, ...options } = readOptions(given, RULES, 'createAdapter options')
  const { ClusterAdapterWithHeartbeat } = adapters()

  return class extends ClusterAdapterWithHeartbeat {
    #topic
    /** The pids of the other servers, by the `uid` of each server. @type {Map<string, number>} */
    #pids = new Map()
    #ends
    /** Codes of the errors for which a warning was emitted. @type {Set<string>} */
    #told = new Set()

    /** @param {import('socket.io').Namespace} nsp */
    constructor(nsp) {
      super(nsp, options)
      const topic = topicOf(nsp.name)
      this.#topic = topic
      const missed = onMissed === undefined ? {} : { onMissed }
      this.#ends = [
        context.subscribe(
          topic,
          (message, { pid }) => {
            const said = /** @type {Message} */ (message)
            this.#pids.set(said.uid, pid)
            this.onMessage(said)
          },
          missed
        ),
        context.subscribe(this.#answersTo(this.uid), (answer) => this.onResponse(/** @type {Answer} */ (answer))),
        // No server waits for one that has died.
        context.subscribe(EXITS, (process) => this.#forget(/** @type {{ pid: number }} */ (process)))
      ]
    }

    /** @override @param {Message} message */
    async doPublish(message) {
      this.#publish(this.#topic, message)
      return ''
    }

    /** @override @param {string} uid @param {Answer} answer */
    async doPublishResponse(uid, answer) {
      this.#publish(this.#answersTo(uid), answer)
    }

    /** @override */
    close() {
      super.close()
      for (const end of this.#ends) end()
    }

    /** @param {{ pid: number }} process */
    #forget({ pid }) {
      for (const [uid, of] of this.#pids) {
        if (of !== pid) continue
        this.#pids.delete(uid)
        // As if that server had said itself that it ends.
        this.onMessage(/** @type {Message} */ ({ uid, nsp: this.nsp.name, type: ADAPTER_CLOSE }))
      }
    }

    #answersTo(/** @type {string} */ uid) {
      return `socket.io to ${uid}`
    }

    /** Warns of an error once, since socket.io shows errors only in its debug output. */
    #publish(/** @type {string} */ topic, /** @type {object} */ message) {
      try {
        context.publish(topic, message)
      } catch (error) {
        const { name, code = name, message: text } = /** @type {NodeJS.ErrnoException} */ (error)
        if (!this.#told.has(code)) process.emitWarning(`a message of socket.io was not sent: ${text}`, { code })
        this.#told.add(code)
        throw error
      }
    }
  }
}

/** `MessageType.ADAPTER_CLOSE` of socket.io-adapter, which is a part of its protocol. */
const ADAPTER_CLOSE = 13

module.exports = { createAdapter }
