'use strict'

// The connections over which this process relays. Each belongs to one connection of a client, as what it says of
// the client holds for all that comes over it, and is used again as that is. Only this end closes one that is idle,
// so no request meets one that is about to be closed.

const http = require('node:http')
const net = require('node:net')
const { originOf } = require('./origin')

/** So long a connection is kept for the next request of its client, in milliseconds. */
const IDLE = 1000

/**
 * @typedef {{ path: string, server: string|undefined }} Target where, and which server of the application
 * @typedef {{ target: Target, client: net.Socket }} Relayed what a request has to say beside its head
 */

/** Connects to a process, and says where what follows comes from. @param {Relayed} relayed */
function connect({ target: { path, server }, client }) {
  const socket = net.connect(path)
  socket.write(`${JSON.stringify({ server, pid: process.pid, origin: originOf(client) })}\n`)
  return socket
}

class Relays extends http.Agent {
  #clients = 0
  /** What the connections of each client are called. @type {WeakMap<net.Socket, { number: number, names: Set<string> }>} */
  #names = new WeakMap()

  constructor() {
    super({ keepAlive: true })
  }

  /** @override @param {object} [options] */
  getName(options) {
    const { target, client } = /** @type {{ relayed: Relayed }} */ (options).relayed
    let own = this.#names.get(client)
    if (own === undefined) {
      const { names } = (own = { number: this.#clients++, names: new Set() })
      this.#names.set(client, own)
      client.once('close', () => {
        for (const name of names) this.#closeIdle(name)
      })
    }
    // By the target last: see `leave`.
    const name = `${own.number} ${target.server} ${target.path}`
    own.names.add(name)
    return name
  }

  /** @override @param {object} options */
  createConnection(options) {
    return connect(/** @type {{ relayed: Relayed }} */ (options).relayed)
  }

  /** @override @param {net.Socket} socket */
  keepSocketAlive(socket) {
    socket.unref()
    socket.setTimeout(IDLE)
    return true
  }

  /** A process is about to end: it waits for none that is idle. @param {string} path */
  leave(path) {
    for (const name of Object.keys(this.freeSockets)) if (name.endsWith(` ${path}`)) this.#closeIdle(name)
  }

  #closeIdle(/** @type {string} */ name) {
    for (const socket of [...(this.freeSockets[name] ?? [])]) socket.destroy()
  }
}

module.exports = { Relays, connect }
