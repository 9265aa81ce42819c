'use strict'

// The place where a request says which session it belongs to.

/**
 * The head of a request, as the option `sticky` sees it.
 * @typedef {{ method: string, url: string, headers: import('node:http').IncomingHttpHeaders }} Head
 * The part of the option that is sent to the processes. A function cannot be sent.
 * @typedef {{ query: string } | { cookie: string } | { function: true }} Where
 * @typedef {'socket.io' | { query: string } | { cookie: string } | ((head: Head) => string|undefined)} Sticky the option
 */

/** @param {string} text */
function decoded(text) {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/**
 * @param {string} text pairs of names and values
 * @param {string} separator
 * @param {string} name
 */
function valueIn(text, separator, name) {
  if (!text.includes(name)) return undefined
  for (const pair of text.split(separator)) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return decoded(pair.slice(at + 1).trim())
  }
  return undefined
}

/**
 * @param {Where} where
 * @param {((head: Head) => string|undefined)|undefined} own the function of the option, in a process that has it
 * @returns {(head: Head) => string|undefined}
 */
function readerOf(where, own) {
  if ('query' in where) {
    return ({ url }) => {
      const start = url.indexOf('?')
      return start < 0 ? undefined : valueIn(url.slice(start + 1), '&', where.query)
    }
  }
  if ('cookie' in where) return ({ headers: { cookie } }) => cookie && valueIn(cookie, ';', where.cookie)
  return own ?? (() => undefined)
}

const SID = { query: 'sid' }
const readSid = readerOf(SID, undefined)

/** The id of a session of engine.io in the URL of a request. @param {string} url */
function sidOf(url) {
  return /[?&]EIO=\d/.test(url) ? readSid({ method: '', url, headers: {} }) : undefined
}

/**
 * The process that has the session of a request. A session of engine.io, which has an id of this cluster if
 * `context.sticky` has been called, is one of its own beside that of the application.
 * @param {import('./ids').Ids} ids
 * @param {(head: Head) => string|undefined} read finds the id of a session
 * @param {Head} head
 */
function ownerOf(ids, read, head) {
  const sid = sidOf(head.url)
  const owner = sid === undefined ? undefined : ids.find(sid)
  if (owner !== undefined) return owner
  const id = read(head)
  return typeof id === 'string' ? ids.find(id) : undefined
}

/**
 * The part of the option that is sent to the processes.
 * @param {Sticky} sticky
 * @returns {Where}
 */
function whereOf(sticky) {
  if (typeof sticky === 'function') return { function: true }
  return sticky === 'socket.io' ? SID : sticky
}

module.exports = { ownerOf, readerOf, sidOf, whereOf }
