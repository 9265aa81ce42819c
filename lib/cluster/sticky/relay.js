'use strict'

// Has a request that came to the wrong process answered by the right one, over a Unix socket. Request and answer are
// passed on unchanged: names and order of headers, framing, trailers, and every byte of the bodies.

const http = require('node:http')
const { Relays, connect } = require('./relays')

/**
 * @typedef {http.IncomingMessage|import('node:http2').Http2ServerRequest} Request
 * @typedef {http.ServerResponse|import('node:http2').Http2ServerResponse} Response
 * @typedef {import('./relays').Target} Target
 */

const HOP_BY_HOP = /^(connection|keep-alive|proxy-connection|transfer-encoding|upgrade)$/i

/** @param {readonly string[]} raw names and values in turn @param {(name: string) => boolean} test */
function keep(raw, test) {
  return raw.filter((_, at) => test(raw[at - (at % 2)]))
}

/** @param {readonly string[]} raw @param {RegExp} name */
function has(raw, name) {
  for (let at = 0; at < raw.length; at += 2) if (name.test(raw[at])) return true
  return false
}

/** Whether a head of HTTP/1.1 announces a body. @param {readonly string[]} raw */
function hasFraming(raw) {
  return has(raw, /^(content-length|transfer-encoding)$/i)
}

/** A request whose head is exactly the given one. */
class Forwarded extends http.ClientRequest {
  /** @param {string} line @param {string[]} headers */
  _storeHeader(line, headers) {
    // A request without framing has no body.
    this.useChunkedEncodingByDefault = hasFraming(headers)
    this._removedConnection = true
    const store = Reflect.get(http.OutgoingMessage.prototype, '_storeHeader')
    Reflect.apply(store, this, [line, headers])
  }
}

/** A request from a client of HTTP/1.0. */
class OldForwarded extends Forwarded {
  /** @param {string} line @param {string[]} headers */
  _storeHeader(line, headers) {
    super._storeHeader(line.replace(/HTTP\/1\.1\r\n$/, 'HTTP/1.0\r\n'), headers)
  }
}

/** @param {Request} request */
function headersOf(request) {
  const { rawHeaders } = request
  if (request.httpVersionMajor === 1) return rawHeaders
  const { authority, stream } = /** @type {import('node:http2').Http2ServerRequest} */ (request)
  const headers = keep(rawHeaders, (name) => !name.startsWith(':'))
  if (!has(headers, /^host$/i)) headers.push('host', authority)
  if (!stream.endAfterHeaders && !has(headers, /^content-length$/i)) headers.push('transfer-encoding', 'chunked')
  return headers
}

/** Whether the process does not exist any more. @param {NodeJS.ErrnoException} error of connecting */
function isGone({ code }) {
  return code === 'ENOENT' || code === 'ECONNREFUSED'
}

/** The ticks within which a stream emits its data and its end. */
const TICKS = 3

/**
 * A head may come long before its body. The part of the body that came with it is emitted within these ticks. Waiting for
 * a turn of the loop would cost more.
 * @param {() => void} then
 */
function afterTicks(then, ticks = TICKS) {
  process.nextTick(() => (ticks > 1 ? afterTicks(then, ticks - 1) : then()))
}

const relays = new Relays()

/**
 * Has the request answered by a process.
 * @param {Target} target
 * @param {Request} request of which nothing has been read
 * @param {Response} response
 * @param {object} how
 * @param {() => void} how.gone called if there is no such process; the request is unchanged
 * @param {boolean} how.asks the client waits for a 100 before it sends the body
 */
function relay(target, request, response, { gone, asks }) {
  const OfVersion = request.httpVersion === '1.0' ? OldForwarded : Forwarded
  const headers = headersOf(request)
  const hasBody = hasFraming(headers)
  const forwarded = new OfVersion(
    /** @type {http.RequestOptions} */ ({
      agent: relays,
      relayed: { target, client: request.socket },
      method: request.method,
      path: request.url,
      headers
    })
  )
  let begun = false
  const begin = () => {
    begun = true
    if (response.destroyed) return void forwarded.destroy()
    if (!hasBody) return void forwarded.end()
    request.pipe(forwarded)
    afterTicks(() => {
      if (!forwarded.writableEnded && !forwarded.destroyed) forwarded.flushHeaders()
    })
  }
  forwarded.on('socket', (socket) => (socket.connecting ? socket.once('connect', begin) : begin()))
  forwarded.on('error', (error) => (!begun && isGone(error) ? gone() : fail(response)))
  forwarded.on('response', (answer) => pass(answer, response))
  if (asks) forwarded.on('continue', () => response.writeContinue())
  forwarded.on('information', ({ statusCode, headers }) => {
    if (statusCode === 103 && headers.link !== undefined)
      response.writeEarlyHints(/** @type {Record<string, string>} */ (headers))
  })
  response.on('close', () => {
    if (!response.writableFinished) forwarded.destroy()
  })
  if (!hasBody) return
  request.on('end', () => {
    const { rawTrailers } = request
    if (rawTrailers.length > 0) forwarded.addTrailers(pairs(rawTrailers))
  })
}

/** @param {http.IncomingMessage} answer @param {Response} response */
function pass(answer, response) {
  const { statusCode = 502, statusMessage, rawHeaders } = answer
  answer.on('error', () => response.destroy())
  if (response instanceof http.ServerResponse) {
    // Nothing is added to the head of the answer.
    for (const name of ['connection', 'date', 'transfer-encoding', 'content-length']) response.removeHeader(name)
    response.writeHead(statusCode, statusMessage, rawHeaders)
  } else {
    for (const [name, value] of Object.entries(answer.headersDistinct))
      if (!HOP_BY_HOP.test(name) && value !== undefined) response.setHeader(name, value.length === 1 ? value[0] : value)
    response.writeHead(statusCode)
  }
  answer.on('end', () => {
    if (answer.rawTrailers.length > 0) response.addTrailers(Object.fromEntries(pairs(answer.rawTrailers)))
  })
  if (response instanceof http.ServerResponse) passBody(answer, response)
  else answer.pipe(/** @type {import('node:stream').Writable} */ (/** @type {unknown} */ (response)))
}

/** As `pipe`, but with fewer listeners, since each request needs one. @param {http.IncomingMessage} answer @param {http.ServerResponse} response */
function passBody(answer, response) {
  let sent = false
  answer.on('data', (chunk) => {
    sent = true
    if (response.destroyed || response.write(chunk)) return
    answer.pause()
    response.once('drain', () => answer.resume())
  })
  answer.on('end', () => {
    sent = true
    response.end()
  })
  afterTicks(() => {
    if (!sent && !response.destroyed) response.flushHeaders()
  })
}

/** @param {readonly string[]} raw @returns {[string, string][]} */
function pairs(raw) {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [/** @type {[string, string]} */ ([name, raw[at + 1]])] : []))
}

/** The process has ended while it had the request, or does not take requests. @param {Response} response */
function fail(response) {
  if (response.headersSent) return void response.destroy()
  response.statusCode = 502
  response.end()
}

/** The head of a request as it came. @param {http.IncomingMessage} request */
function headOf({ method, url, httpVersion, rawHeaders }) {
  const lines = pairs(rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${url} HTTP/${httpVersion}\r\n${lines.join('')}\r\n`, 'latin1')
}

/**
 * Passes the bytes after an upgrade to a process and back.
 * @param {Target} target
 * @param {http.IncomingMessage} request
 * @param {import('node:net').Socket} socket
 * @param {Buffer} head the bytes that came behind the request
 * @param {() => void} gone called if there is no such process; the socket is unchanged
 */
function tunnel(target, request, socket, head, gone) {
  const other = connect({ target, client: socket })
  let begun = false
  const drop = () => {
    socket.destroy()
    other.destroy()
  }
  socket.on('error', drop)
  other.on('error', (error) => (!begun && isGone(error) ? gone() : drop()))
  other.once('connect', () => {
    begun = true
    if (socket.destroyed) return void other.destroy()
    socket.on('close', drop)
    other.on('close', drop)
    other.write(headOf(request))
    if (head.length > 0) other.write(head)
    socket.pipe(other).pipe(socket)
  })
}

/** A process is about to end: see `Relays`. @param {string} path */
function leave(path) {
  relays.leave(path)
}

module.exports = { relay, tunnel, headOf, leave }
