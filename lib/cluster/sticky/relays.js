'use strict'

// The connections over which this process relays. Each belongs to one connection of a client, since its first line
// describes the client for all requests that follow, and is reused when that connection is. Only this end closes idle
// connections, so no request meets a connection that is about to be closed.

const http = require('node:http')
const net = require('node:net')
const { originOf } = require('./origin')

/** How long a connection is kept for the next request of its client, in milliseconds. */
const IDLE = 1000

/**
 * @typedef {{ path: string, server: string|undefined }} Target where, and which server of the application
 * @typedef {{ target: Target, client: net.Socket }} Relayed the data of a request beside its head
 */

/** Connects to a process, and sends the line that describes the client. @param {Relayed} relayed */
function connect({ target: { path, server }, client }) {
  const socket = net.connect(path)
  socket.write(`${JSON.stringify({ server, pid: process.pid, origin: originOf(client) })}\n`)
  return socket
}

class Relays extends http.Agent {
  #clients = 0
  /** The names of the connections of each client. @type {WeakMap<net.Socket, { number: number, names: Set<string> }>} */
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
    // The target is last: see `leave`.
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

  /** A process is about to end: closes the idle connections to it. @param {string} path */
  leave(path) {
    for (const name of Object.keys(this.freeSockets)) if (name.endsWith(` ${path}`)) this.#closeIdle(name)
  }

  #closeIdle(/** @type {string} */ name) {
    for (const socket of [...(this.freeSockets[name] ?? [])]) socket.destroy()
  }
}

module.exports = { Relays, connect }
