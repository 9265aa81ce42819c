'use strict'

// WebSockets, as far as a drain needs them: when the protocol has been switched, and how to close.

// A close frame from a server, code 1001 "going away" (RFC 6455, 5.5.1 and 7.4.1).
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9])
const END_OF_HEAD = '\r\n\r\n'
/** A longer head is taken for none. */
const LONGEST_HEAD = 65_536

/** @param {import('node:http').IncomingMessage} request that asks for an upgrade */
function isWebSocket({ method, headers }) {
  return method === 'GET' && /^websocket$/i.test(headers.upgrade ?? '')
}

/**
 * Calls `then` when the application has written the whole head of a 101: no byte may come before it.
 * @param {import('node:stream').Duplex} socket
 * @param {() => void} then
 */
function onceSwitched(socket, then) {
  const { write } = socket
  const own = Object.hasOwn(socket, 'write')
  let head = ''
  const watching = /** @type {typeof write} */ (
    function (/** @type {unknown} */ chunk, /** @type {unknown[]} */ ...rest) {
      const result = Reflect.apply(write, socket, [chunk, ...rest])
      head += typeof chunk === 'string' ? chunk : Buffer.from(/** @type {Uint8Array} */ (chunk)).toString('latin1')
      const whole = head.includes(END_OF_HEAD)
      if (whole || head.length > LONGEST_HEAD) {
        if (socket.write === watching) {
          if (own) socket.write = write
          else Reflect.deleteProperty(socket, 'write')
        }
        if (whole && /^HTTP\/1\.1 101\b/.test(head)) then()
        head = ''
      }
      return result
    }
  )
  socket.write = watching
}

/** @param {import('node:stream').Duplex} socket */
function sayGoodbye(socket) {
  if (socket.writable) socket.write(GOING_AWAY)
}

module.exports = { isWebSocket, onceSwitched, sayGoodbye }
