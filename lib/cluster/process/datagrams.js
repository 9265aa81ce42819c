'use strict'

// The UDP sockets of this process that serve: those bound to a port that the application has chosen. In a drain they
// stop receiving, and can still send. The other processes, which have the same socket, receive the rest.

const dgram = require('node:dgram')

class Datagrams {
  /** @type {Set<dgram.Socket>} */
  #sockets = new Set()
  #refusing = false
  #bind = dgram.Socket.prototype.bind

  constructor() {
    const datagrams = this
    const bind = this.#bind
    dgram.Socket.prototype.bind = /** @type {typeof bind} */ (
      /** @this {dgram.Socket} */
      function (/** @type {unknown[]} */ ...args) {
        if (portOf(args[0]) > 0) datagrams.#add(this)
        return Reflect.apply(bind, this, args)
      }
    )
  }

  release() {
    dgram.Socket.prototype.bind = this.#bind
  }

  /** Stops receiving. */
  refuse() {
    this.#refusing = true
    this.#sockets.forEach(stopReceiving)
  }

  #add(/** @type {dgram.Socket} */ socket) {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.once('listening', () => {
      if (this.#refusing) stopReceiving(socket)
    })
  }
}

/** @param {unknown} where the first argument of `bind` */
function portOf(where) {
  return Number(where !== null && typeof where === 'object' ? Reflect.get(where, 'port') : where)
}

/**
 * Node.js has no public way to stop receiving. Without the private one the socket goes on.
 * @param {dgram.Socket} socket
 */
function stopReceiving(socket) {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')
  if (symbol === undefined) return
  const { handle } = /** @type {{ handle?: { recvStop?: () => void }|null }} */ (Reflect.get(socket, symbol))
  handle?.recvStop?.()
}

module.exports = { Datagrams }
