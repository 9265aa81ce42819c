'use strict'

// Where a process takes what others relay to it: a Unix socket, in a folder that only this user may enter. Each
// connection begins with a line that says to which server it goes and where it comes from; the rest is what a client
// would send.

const net = require('node:net')
const native = require('../../native/load')
const { disguise } = require('./origin')

/** A first line that is longer is none: a certificate is in it. */
const LONGEST_LINE = 65_536
const NEWLINE = 10

/**
 * @typedef {import('node:net').Socket & { _handle?: { fd?: number }|null }} Socket
 * @typedef {{ server: string|undefined, origin: import('./origin').Origin, pid: number }} FirstLine the pid is that of the process that relays
 */

class Inlet {
  #server
  #host
  /** The processes that relay what comes at a socket. @type {WeakMap<object, number>} */
  #relayers = new WeakMap()

  /**
   * @param {object} host
   * @param {(key: string|undefined) => net.Server|undefined} host.find a server of the application
   * @param {(pid: number) => boolean} host.knows is this a process of the cluster?
   * @param {(server: net.Server) => void} host.own this server is none of the application's
   */
  constructor(host) {
    this.#host = host
    this.#server = net.createServer((socket) => this.#take(socket))
    host.own(this.#server)
    this.#server.unref()
  }

  /** @param {string} path @returns {Promise<void>} */
  listen(path) {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      // Exclusive: it is this process's own.
      this.#server.listen({ path, exclusive: true }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', () => {})
        resolve()
      })
    })
  }

  close() {
    this.#server.close()
  }

  /** The pid of the process that relays what comes at a socket; none when it is a client's own. @param {object} socket */
  relayerOf(socket) {
    return this.#relayers.get(socket)
  }

  #take(/** @type {Socket} */ socket) {
    socket.on('error', () => {})
    if (!this.#trusts(socket)) return socket.destroy()
    let begun = Buffer.alloc(0)
    const look = () => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
        begun = begun.length === 0 ? chunk : Buffer.concat([begun, chunk])
        const end = begun.indexOf(NEWLINE)
        if (end >= 0) {
          socket.off('readable', look)
          return this.#begin(socket, begun.subarray(0, end), begun.subarray(end + 1))
        }
        if (begun.length > LONGEST_LINE) return socket.destroy()
      }
    }
    socket.on('readable', look)
  }

  #begin(/** @type {Socket} */ socket, /** @type {Buffer} */ line, /** @type {Buffer} */ rest) {
    /** @type {FirstLine} */
    let first
    try {
      first = JSON.parse(line.toString())
    } catch {
      return void socket.destroy()
    }
    const server = this.#host.find(first.server)
    if (server === undefined) return void socket.destroy()
    this.#relayers.set(socket, first.pid)
    disguise(socket, first.origin)
    // Servers of HTTP/2 look there for what they answer HTTP/1.1 with.
    Object.assign(socket, { server })
    // Whoever relays ends the connection in time.
    socket.setTimeout = () => socket
    if (rest.length > 0) socket.unshift(rest)
    server.emit(first.origin.secured === undefined ? 'connection' : 'secureConnection', socket)
    socket.resume()
  }

  #trusts(/** @type {Socket} */ socket) {
    // Where the system does not tell, the folder has kept others out.
    if (native.peerOf === undefined) return true
    const { uid, pid } = native.peerOf(socket._handle?.fd ?? -1)
    return uid === process.getuid?.() && this.#host.knows(pid)
  }
}

module.exports = { Inlet }
