'use strict'

// Listening at a path. libuv removes the path when it closes a socket that it has bound, which may be long
// before the last process has left: so the socket is bound here.

const fs = require('node:fs')
const native = require('../../native/load')

const { S_IRUSR, S_IRGRP, S_IROTH, S_IWUSR, S_IWGRP, S_IWOTH } = fs.constants

/**
 * @param {string} path absolute
 * @param {{ backlog?: number, readableAll?: boolean, writableAll?: boolean }} options
 * @returns {{ fd: number, remove: () => void }|undefined} undefined if core shall try, and report the error
 */
function listenAtPath(path, { backlog, readableAll, writableAll }) {
  // An abstract name (Linux) is no file.
  if (path.startsWith('\0')) return undefined
  const fd = /** @type {number|null} */ (native.listenAtPath(path, backlog ?? 511))
  if (fd === null) return undefined
  const { dev, ino, mode } = fs.lstatSync(path)
  if (readableAll || writableAll) {
    const read = readableAll ? S_IRUSR | S_IRGRP | S_IROTH : 0
    const write = writableAll ? S_IWUSR | S_IWGRP | S_IWOTH : 0
    fs.chmodSync(path, mode | read | write)
  }
  const remove = () => {
    try {
      const now = fs.lstatSync(path)
      // Another program may have bound the path anew.
      if (now.dev === dev && now.ino === ino) fs.unlinkSync(path)
    } catch {
      // The path has gone already.
    }
  }
  return { fd, remove }
}

module.exports = { listenAtPath }
