'use strict'

// Writes a whole frame on the socket of an HTTP/2 session, beside the session.

const native = require('../../native/load')

/**
 * A session takes the end of any write of Node.js for one of its own, so this write bypasses Node.js. While nothing
 * waits to be written, only whole frames have been written before. Within TLS this is not possible.
 * @param {import('node:http2').ServerHttp2Session} session
 * @param {import('node:net').Socket & { _handle?: { fd?: number, writeQueueSize?: number }|null }} socket
 * @param {Buffer} frame
 * @returns {boolean} false if this is not possible now
 */
function writeBeside(session, socket, frame) {
  const { fd = -1, writeQueueSize } = socket._handle ?? {}
  if (fd < 0 || writeQueueSize !== 0 || socket.writableLength > 0) return false
  const written = native.sendNow(fd, frame)
  // The system is out of memory, and has taken part of the frame: half a frame is worse than none.
  if (written > 0 && written < frame.length) session.destroy()
  return written === frame.length
}

module.exports = { writeBeside }
