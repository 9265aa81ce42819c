'use strict'

// The connections over which this process relays. Each belongs to one connection of a client, since its first line
// describes the client for all requests that follow, and is reused when that connection is. It carries one request at a
// time. Only this end closes idle connections, so no request meets a connection that is about to be closed.

const net = require('node:net')
const { originOf } = require('./origin')

/** How long a connection is kept for the next request of its client, in milliseconds. */
const IDLE = 1000

/**
 * @typedef {{ path: string, server: string|undefined }} Target where, and which server of the application
 * A request that uses a link.
 * @typedef {object} User
 * @property {import('./answer').Answer} answer
 * @property {() => void} onConnect
 * @property {() => void} onDrain
 * @property {() => void} onChunk some bytes of the answer have been read
 * @property {(error: NodeJS.ErrnoException|undefined) => void} onClose the connection has ended
 */

/** Connects to a process, and sends the line that describes the client. @param {Target} target @param {net.Socket} client */
function connect({ path, server }, client) {
  const socket = net.connect(path)
  socket.write(`${JSON.stringify({ server, pid: process.pid, origin: originOf(client) })}\n`)
  return socket
}

class Link {
  /** @type {User|undefined} */
  #user
  /** @type {NodeJS.ErrnoException|undefined} */
  #error

  /** @param {Set<Link>} links of the client, of which this is one @param {Target} target @param {net.Socket} client */
  constructor(links, target, client) {
    this.target = target
    this.socket = connect(target, client)
    links.add(this)
    this.socket
      .on('connect', () => this.#user?.onConnect())
      .on('data', (chunk) => this.#read(chunk))
      .on('drain', () => this.#user?.onDrain())
      .on('timeout', () => {
        if (this.#user === undefined) this.socket.destroy()
      })
      .on('error', (error) => {
        this.#error = error
      })
      .on('close', () => {
        links.delete(this)
        this.#user?.onClose(this.#error)
      })
      .setTimeout(IDLE)
  }

  get idle() {
    return this.#user === undefined
  }

  /** @param {User} user */
  begin(user) {
    this.#user = user
    this.socket.ref()
  }

  /** The request has ended. @param {boolean} keeps whether the connection takes another */
  end(keeps) {
    this.#user = undefined
    if (!keeps) this.socket.destroy()
    else if (this.socket.isPaused()) this.socket.resume()
    this.socket.unref()
  }

  #read(/** @type {Buffer} */ chunk) {
    const user = this.#user
    try {
      // Bytes that belong to no request are an error.
      if (user === undefined) this.socket.destroy()
      else user.answer.read(chunk)
    } catch {
      this.socket.destroy()
    }
    user?.onChunk()
  }
}

class Links {
  /** @type {WeakMap<net.Socket, Set<Link>>} */
  #byClient = new WeakMap()
  /** The sets that contain links. @type {Set<Set<Link>>} */
  #all = new Set()

  /** A connection that has no request. @param {Target} target @param {net.Socket} client @returns {Link} */
  take(target, client) {
    const links = this.#linksOf(client)
    for (const link of links)
      if (link.idle && link.socket.writable && link.target.path === target.path && link.target.server === target.server)
        return link
    return new Link(links, target, client)
  }

  /** A process is about to end: closes the idle connections to it. @param {string} path */
  leave(path) {
    for (const links of this.#all)
      for (const link of links) if (link.idle && link.target.path === path) link.socket.destroy()
  }

  #linksOf(/** @type {net.Socket} */ client) {
    const known = this.#byClient.get(client)
    if (known !== undefined) return known
    /** @type {Set<Link>} */
    const links = new Set()
    this.#byClient.set(client, links)
    this.#all.add(links)
    client.once('close', () => {
      this.#all.delete(links)
      for (const { idle, socket } of links) if (idle) socket.destroy()
    })
    return links
  }
}

module.exports = { Link, Links, connect }
