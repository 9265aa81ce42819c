'use strict'

// Has a request that came to the wrong process answered by the right one, over a Unix socket. Request and answer are
// passed on unchanged: names and order of headers, framing, trailers, and every byte of the bodies.

const { Answer } = require('./answer')
const { Links, connect } = require('./links')

/**
 * @typedef {import('node:http').IncomingMessage|import('node:http2').Http2ServerRequest} Request
 * @typedef {import('node:http').ServerResponse|import('node:http2').Http2ServerResponse} Response
 * @typedef {import('./links').Target} Target
 * @typedef {'none'|'length'|'chunks'} Framing how the other process learns where the body ends
 */

/** Parts of bodies that are no longer than this are written together with the text around them, which costs less. */
const SMALL = 4096
const HOP_BY_HOP = /^(connection|keep-alive|proxy-connection|transfer-encoding|upgrade)$/i

/** @param {readonly string[]} raw names and values in turn @param {string} name */
function has(raw, name) {
  for (let at = 0; at < raw.length; at += 2)
    if (raw[at].length === name.length && raw[at].toLowerCase() === name) return true
  return false
}

/** @param {readonly string[]} raw @returns {Framing} */
function framingOf(raw) {
  if (has(raw, 'transfer-encoding')) return 'chunks'
  return has(raw, 'content-length') ? 'length' : 'none'
}

/** @param {Request} request @returns {readonly string[]} */
function headersOf(request) {
  const { rawHeaders } = request
  if (request.httpVersionMajor === 1) return rawHeaders
  const { authority, stream } = /** @type {import('node:http2').Http2ServerRequest} */ (request)
  const headers = rawHeaders.filter((_, at) => !rawHeaders[at - (at % 2)].startsWith(':'))
  if (!has(headers, 'host')) headers.push('host', authority)
  if (!stream.endAfterHeaders && !has(headers, 'content-length')) headers.push('transfer-encoding', 'chunked')
  return headers
}

/** @param {Request} request @param {readonly string[]} headers */
function headText({ method, url, httpVersion }, headers) {
  return `${method} ${url} HTTP/${httpVersion === '1.0' ? '1.0' : '1.1'}\r\n${linesOf(headers)}\r\n`
}

/** @param {readonly string[]} raw */
function linesOf(raw) {
  let lines = ''
  for (let at = 0; at < raw.length; at += 2) lines += `${raw[at]}: ${raw[at + 1]}\r\n`
  return lines
}

/** Whether the process does not exist any more. @param {NodeJS.ErrnoException|undefined} error of connecting */
function isGone(error) {
  return error?.code === 'ENOENT' || error?.code === 'ECONNREFUSED'
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

const links = new Links()

/** A request that another process answers. It is the `User` of a link. */
class Relay {
  #request
  /** Both classes have all of the methods that are used. */
  #response
  #gone
  #lost
  #asks
  #headers
  #framing
  /** @type {import('./links').Link|undefined} */
  #link
  /** Whether the other process gets the request. */
  #begun = false
  /** The head of the request, which waits for the begin of its body. */
  #early = ''
  /** Whether it has the request in full. */
  #sent = false
  /** Whether the answer has come in full. */
  #answered = false
  /** Whether the link takes another request after this one. */
  #keeps
  /** Whether the head of the answer waits for the body. */
  #held = false
  #full = false

  /**
   * @param {Target} target
   * @param {Request} request of which nothing has been read
   * @param {Response} response
   * @param {object} how
   * @param {() => void} how.gone called if there is no such process; the request is unchanged
   * @param {() => void} how.lost called if the process has ended while it had the request, and nothing of an answer has come
   * @param {boolean} how.asks the client waits for a 100 before it sends the body
   */
  constructor(target, request, response, { gone, lost, asks }) {
    this.#request = request
    this.#response = /** @type {import('node:http').ServerResponse} */ (response)
    this.#gone = gone
    this.#lost = lost
    this.#asks = asks
    this.#headers = headersOf(request)
    this.#framing = framingOf(this.#headers)
    this.#keeps = request.httpVersion !== '1.0'
    this.answer = new Answer(this, request.method === 'HEAD')
    response.on('close', () => {
      if (!response.writableFinished) this.#leave(false)
    })
    const link = (this.#link = links.take(target, request.socket))
    link.begin(this)
    if (!link.socket.connecting) this.onConnect()
  }

  onConnect() {
    if (this.#link === undefined) return
    const { socket } = this.#link
    const head = headText(this.#request, this.#headers)
    this.#begun = true
    if (this.#framing === 'none') {
      socket.write(head, 'latin1')
      this.#sent = true
      return
    }
    this.#early = head
    afterTicks(() => this.#flush())
    const request = this.#request
    request.on('data', (chunk) => this.#send(chunk))
    request.on('end', () => this.#sendEnd())
    request.on('close', () => {
      if (!this.#sent) this.#leave(false)
    })
  }

  onDrain() {
    this.#request.resume()
  }

  #flush() {
    if (this.#early !== '') this.#link?.socket.write(this.#early, 'latin1')
    this.#early = ''
  }

  #send(/** @type {Buffer} */ chunk) {
    const socket = this.#link?.socket
    if (socket === undefined || chunk.length === 0) return
    const chunks = this.#framing === 'chunks'
    const before = this.#early + (chunks ? `${chunk.length.toString(16)}\r\n` : '')
    const after = chunks ? '\r\n' : ''
    this.#early = ''
    if (chunk.length <= SMALL) socket.write(before + chunk.latin1Slice() + after, 'latin1')
    else {
      socket.cork()
      if (before !== '') socket.write(before, 'latin1')
      socket.write(chunk)
      if (after !== '') socket.write(after, 'latin1')
      socket.uncork()
    }
    if (socket.writableNeedDrain) this.#request.pause()
  }

  #sendEnd() {
    if (this.#framing === 'chunks') this.#early += `0\r\n${linesOf(this.#request.rawTrailers)}\r\n`
    this.#flush()
    this.#sent = true
    this.#review()
  }

  /** @param {import('./answer').Head} head */
  onInformation({ status, rawHeaders }) {
    const response = this.#response
    if (status === 100 && this.#asks) response.writeContinue()
    else if (status === 102) response.writeProcessing?.()
    else if (status === 103) {
      const { link = [], ...others } = byName(rawHeaders)
      // Node.js writes all of them into one header.
      response.writeEarlyHints({ ...others, link: link.flatMap((value) => value.split(/, (?=<)/)) })
    }
  }

  /** @param {import('./answer').Head} head */
  onHead({ status, message, rawHeaders, keeps }) {
    const response = this.#response
    if (!keeps) this.#keeps = false
    if (this.#request.httpVersionMajor === 1) {
      // Nothing is added to the head of the answer.
      for (const name of ['connection', 'date', 'transfer-encoding', 'content-length']) response.removeHeader(name)
      response.writeHead(status, message, rawHeaders)
    } else {
      for (const [name, values] of Object.entries(byName(rawHeaders)))
        if (!HOP_BY_HOP.test(name)) response.setHeader(name, values.length === 1 ? values[0] : values)
      response.writeHead(status)
    }
    this.#held = true
  }

  /** @param {Buffer} chunk */
  onData(chunk) {
    this.#held = false
    if (this.#response.write(chunk) || this.#full) return
    this.#full = true
    this.#link?.socket.pause()
    this.#response.once('drain', () => {
      this.#full = false
      this.#link?.socket.resume()
    })
  }

  /** @param {string[]} rawTrailers @param {Buffer|undefined} chunk */
  onEnd(rawTrailers, chunk) {
    const response = this.#response
    this.#held = false
    this.#answered = true
    if (rawTrailers.length > 0) response.addTrailers(Object.fromEntries(pairs(rawTrailers)))
    if (chunk !== undefined && chunk.length <= SMALL) response.end(chunk.latin1Slice(), 'latin1')
    else response.end(chunk)
    this.#review()
  }

  onChunk() {
    if (this.#held) this.#response.flushHeaders()
    this.#held = false
  }

  /** The link has ended. @param {NodeJS.ErrnoException|undefined} error */
  onClose(error) {
    if (this.#link === undefined) return
    this.#keeps = false
    if (!this.#begun && isGone(error)) {
      this.#link = undefined
      return this.#gone()
    }
    const complete = this.answer.close()
    this.#leave(false)
    if (complete) return
    if (this.#response.headersSent) this.#response.destroy()
    else this.#lost()
  }

  /** Lets go of the link when all has gone over it. */
  #review() {
    if (this.#answered && (this.#sent || !this.#keeps)) this.#leave(this.#keeps)
  }

  #leave(/** @type {boolean} */ keeps) {
    const link = this.#link
    if (link === undefined) return
    this.#link = undefined
    link.end(keeps)
    // The rest of a body that no process wants is dropped.
    if (!this.#sent) this.#request.resume()
  }
}

/**
 * Has the request answered by a process: see `Relay`.
 * @param {Target} target
 * @param {Request} request
 * @param {Response} response
 * @param {ConstructorParameters<typeof Relay>[3]} how
 */
function relay(target, request, response, how) {
  // In a drain requests wait for a turn of the loop. The client may have gone meanwhile.
  if (request.httpVersionMajor === 1 && request.socket.destroyed) return
  new Relay(target, request, response, how)
}

/** @param {readonly string[]} raw @returns {[string, string][]} */
function pairs(raw) {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [/** @type {[string, string]} */ ([name, raw[at + 1]])] : []))
}

/** @param {readonly string[]} raw */
function byName(raw) {
  /** @type {Record<string, string[]>} */
  const all = {}
  for (const [name, value] of pairs(raw)) {
    const values = (all[name.toLowerCase()] ??= [])
    values.push(value)
  }
  return all
}

/** The head of a request as it came. @param {import('node:http').IncomingMessage} request */
function headOf(request) {
  return Buffer.from(headText(request, request.rawHeaders), 'latin1')
}

/**
 * Passes the bytes after an upgrade to a process and back.
 * @param {Target} target
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:net').Socket} socket
 * @param {Buffer} head the bytes that came behind the request
 * @param {() => void} gone called if there is no such process; the socket is unchanged
 */
function tunnel(target, request, socket, head, gone) {
  const other = connect(target, socket)
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

/** A process is about to end: see `Links`. @param {string} path */
function leave(path) {
  links.leave(path)
}

module.exports = { relay, tunnel, headOf, leave }
