'use strict'

// The UDP sockets of this process that serve: bound to a port of the application's choice. In a drain they
// receive no more, and can still send. What is not received goes to the other processes, which have the
// same socket.

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

  /** Receives no more. */
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

/** @param {unknown} where as the first argument of `bind` */
function portOf(where) {
  return Number(where !== null && typeof where === 'object' ? Reflect.get(where, 'port') : where)
}

/** Node has no public way to do that: without the private one the socket goes on. @param {dgram.Socket} socket */
function stopReceiving(socket) {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')
  if (symbol === undefined) return
  const { handle } = /** @type {{ handle?: { recvStop?: () => void }|null }} */ (Reflect.get(socket, symbol))
  handle?.recvStop?.()
}

module.exports = { Datagrams }
