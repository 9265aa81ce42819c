'use strict'

// The Unix socket where a process takes the requests that others relay to it, in a folder that only this user may
// enter. Each connection begins with a line that names the server it goes to, and where it comes from. The rest is as a
// client would send it.

const net = require('node:net')
const native = require('../../native/load')
const { disguise } = require('./origin')

/** The most bytes of a first line, which may contain a certificate. */
const LONGEST_LINE = 65_536
const NEWLINE = 10

/**
 * @typedef {import('node:net').Socket & { _handle?: { fd?: number }|null }} Socket
 * @typedef {{ server: string|undefined, origin: import('./origin').Origin, pid: number }} FirstLine the pid is that of the process that relays
 */

class Inlet {
  #server
  #host
  /** The pids of the processes that relay to a socket. @type {WeakMap<object, number>} */
  #relayers = new WeakMap()

  /**
   * @param {object} host
   * @param {(key: string|undefined) => net.Server|undefined} host.find a server of the application
   * @param {(pid: number) => boolean} host.knows whether this is a process of the cluster
   * @param {(server: net.Server) => void} host.own marks a server as the helper's own
   * @param {(socket: net.Socket) => boolean} host.answers whether an answer has begun on a connection
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
      // Exclusive, since the socket belongs to this process alone.
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

  /** The pid of the process that relays to a socket; undefined for the socket of a client. @param {object} socket */
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
    // Servers of HTTP/2 find there the classes with which they answer HTTP/1.1.
    Object.assign(socket, { server })
    // Only the relaying process ends an idle connection. The application may limit the time of its requests.
    const { setTimeout } = socket
    socket.setTimeout = (time, ...rest) =>
      this.#host.answers(socket) ? setTimeout.call(socket, time, ...rest) : setTimeout.call(socket, 0)
    if (rest.length > 0) socket.unshift(rest)
    server.emit(first.origin.secured === undefined ? 'connection' : 'secureConnection', socket)
    socket.resume()
  }

  #trusts(/** @type {Socket} */ socket) {
    // If the system does not tell the peer, the folder has kept other users out.
    if (native.peerOf === undefined) return true
    const { uid, pid } = native.peerOf(socket._handle?.fd ?? -1)
    return uid === process.getuid?.() && this.#host.knows(pid)
  }
}

module.exports = { Inlet }
