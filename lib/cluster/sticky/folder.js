'use strict'

// The folder of the sockets through which processes relay to each other: only this user may enter it.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { randomBytes } = require('node:crypto')

/** Bytes that the path of a socket may have on every system. */
const LONGEST = 100

/** The path of the socket of a process. @param {string} folder @param {import('./ids').Owner} owner */
function socketPath(folder, { slot, generation }) {
  return path.join(folder, `${slot}-${generation}`)
}

class Folder {
  #onExit = () => this.remove()

  /** @param {import('./reading').Where} where */
  constructor(where) {
    const { XDG_RUNTIME_DIR, RUNTIME_DIRECTORY } = process.env
    const places = [RUNTIME_DIRECTORY?.split(':')[0], XDG_RUNTIME_DIR, os.tmpdir(), '/tmp']
    this.path = this.#make(places.filter((place) => place !== undefined && place !== ''))
    this.sticky = { where, folder: this.path, key: randomBytes(32).toString('base64') }
    process.on('exit', this.#onExit)
  }

  /**
   * The process has gone: removes its socket, so that no process waits there.
   * @param {{ slot: number|undefined, generation: number }} process
   */
  gone({ slot, generation }) {
    if (slot !== undefined) fs.rmSync(socketPath(this.path, { slot, generation }), { force: true })
  }

  remove() {
    process.off('exit', this.#onExit)
    fs.rmSync(this.path, { recursive: true, force: true })
  }

  #make(/** @type {(string|undefined)[]} */ places) {
    let last
    for (const place of places) {
      const prefix = path.join(place ?? '', 'rspool-sticky-')
      if (Buffer.byteLength(prefix) + 30 > LONGEST) continue
      try {
        // Mode 0700.
        return fs.mkdtempSync(prefix)
      } catch (error) {
        last = error
      }
    }
    throw last
  }
}

/**
 * A process ends: removes its socket. Without a primary the last process also removes the folder.
 * @param {string} folder
 * @param {string} own the path of its socket
 */
function leaveFolder(folder, own) {
  if (process.connected) return
  fs.rmSync(own, { force: true })
  try {
    fs.rmdirSync(folder)
  } catch {
    // The folder still has other sockets, or has gone.
  }
}

module.exports = { Folder, leaveFolder, socketPath }
