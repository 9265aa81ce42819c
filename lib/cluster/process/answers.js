'use strict'

// The last answer on a connection has the header "connection: close", whatever the application sets.

const http = require('node:http')

const { removeHeader } = http.OutgoingMessage.prototype
const OURS = /^(connection|keep-alive)$/i

/**
 * Makes the answer end its connection, if it is the last of the answers that have begun when it is sent.
 * @param {import('./connections').Connection} connection
 * @param {http.ServerResponse} response whose headers have not been sent
 */
function closeAfter(connection, response) {
  // All ways to send headers go through this method, which has the same form in all versions of Node.js.
  const inner =
    /** @type {{ _storeHeader?: (line: string, headers: unknown) => void, _removedConnection?: boolean }} */ (response)
  const store = inner._storeHeader
  response.shouldKeepAlive = false
  if (typeof store !== 'function') return
  response.shouldKeepAlive = true
  inner._storeHeader = function (line, headers) {
    inner._storeHeader = store
    const last = connection.answers.at(-1) === response
    if (!last || response.statusCode < 200) return Reflect.apply(store, this, [line, headers])
    connection.closing = true
    response.shouldKeepAlive = false
    Reflect.apply(removeHeader, response, ['connection'])
    Reflect.apply(removeHeader, response, ['keep-alive'])
    // A header that the application has removed is not sent, not even as "close".
    inner._removedConnection = false
    // Headers that were set one by one are in the response, and those of writeHead() have been added to them.
    const own = response.getHeaderNames().length > 0
    return Reflect.apply(store, this, [line, own ? headers : without(headers)])
  }
}

/** The headers as writeHead() takes them: names to values, pairs, or names and values in turn. @param {unknown} headers */
function without(headers) {
  if (Array.isArray(headers)) {
    if (Array.isArray(headers[0])) return headers.filter(([name]) => !OURS.test(String(name)))
    return headers.filter((_, at) => !OURS.test(String(headers[at - (at % 2)])))
  }
  if (headers === null || typeof headers !== 'object') return headers
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OURS.test(name)))
}

module.exports = { closeAfter }
