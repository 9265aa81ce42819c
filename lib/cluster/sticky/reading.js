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

/**
 * The part of the option that is sent to the processes.
 * @param {Sticky} sticky
 * @returns {Where}
 */
function whereOf(sticky) {
  if (typeof sticky === 'function') return { function: true }
  return sticky === 'socket.io' ? { query: 'sid' } : sticky
}

module.exports = { readerOf, whereOf }
