'use strict'

// The admin socket: a Unix socket of the primary that takes one request per line, in JSON. Only the primary's user and
// root may use it. Other programs can read a cluster without it, and send it signals, so an error here is only logged.

const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { once } = require('node:events')
const native = require('../../native/load')

const MOST_BYTES = 64 * 1024
const MOST_CONNECTIONS = 8
const IDLE = 5000

/**
 * The path of the socket; for `admin: true` in a folder of this user.
 * @param {boolean|string|undefined} admin
 * @returns {string|undefined}
 */
function adminPath(admin) {
  if (admin === undefined || admin === false) return undefined
  if (typeof admin === 'string') return path.resolve(admin)
  const { RUNTIME_DIRECTORY, XDG_RUNTIME_DIR } = process.env
  const name = `${process.pid}.sock`
  // systemd may name several folders.
  if (RUNTIME_DIRECTORY) return path.join(RUNTIME_DIRECTORY.split(':')[0], name)
  if (XDG_RUNTIME_DIR) return path.join(XDG_RUNTIME_DIR, 'rspool', name)
  return path.join(os.tmpdir(), `rspool-${process.getuid?.() ?? 0}`, name)
}

/** @typedef {Record<string, (request: any) => unknown>} Commands the action of each request; a promise is awaited */

class AdminSocket {
  /** @type {net.Server|undefined} */
  #server
  #path
  #commands
  #log
  #closed = false

  /**
   * @param {string} file
   * @param {Commands} commands
   * @param {object} host
   * @param {() => void} host.opened
   * @param {(line: string) => void} host.log
   */
  constructor(file, commands, { opened, log }) {
    this.#path = file
    this.#commands = commands
    this.#log = log
    this.#open().then(opened, (error) => log(`admin socket: ${error.message}`))
  }

  async #open() {
    const folder = path.dirname(this.#path)
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    // In a folder of another user, that user could put anything in its place.
    const { uid, mode } = fs.statSync(folder)
    const sticky = (mode & 0o1000) !== 0
    if (!sticky && uid !== process.getuid?.() && uid !== 0)
      throw new Error(`the folder ${folder} belongs to another user`)
    await removeStale(this.#path)
    if (this.#closed) return
    const server = net.createServer((socket) => this.#serve(socket))
    server.maxConnections = MOST_CONNECTIONS
    this.#server = server
    server.listen(this.#path)
    server.unref()
    await once(server, 'listening')
    server.on('error', (error) => this.#log(`admin socket: ${error.message}`))
    fs.chmodSync(this.#path, 0o600)
  }

  /** @param {net.Socket} socket */
  #serve(socket) {
    const end = (/** @type {object} */ answer) => socket.end(`${JSON.stringify(answer)}\n`)
    socket.on('error', () => {})
    const own = process.getuid?.()
    const peer = native.peerOf?.(
      /** @type {{ _handle: { fd: number } }} */ (/** @type {unknown} */ (socket))._handle.fd
    )
    if (peer !== undefined && peer.uid !== own && peer.uid !== 0)
      return end({ ok: false, denied: true, message: `user ${peer.uid} may not give orders to this cluster` })
    let text = ''
    socket.setTimeout(IDLE, () => socket.destroy())
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      if (text.length > MOST_BYTES) return socket.destroy()
      const line = text.indexOf('\n')
      if (line < 0) return
      socket.removeAllListeners('data')
      socket.setTimeout(0)
      this.#answer(text.slice(0, line)).then(end)
    })
  }

  /** @param {string} line @returns {Promise<object>} */
  async #answer(line) {
    try {
      const request = JSON.parse(line)
      const name = request?.command
      if (typeof name !== 'string' || !Object.hasOwn(this.#commands, name))
        return { ok: false, message: `there is no command ${JSON.stringify(name)}` }
      return { ok: true, value: await this.#commands[name](request) }
    } catch (error) {
      const { message, code } = /** @type {NodeJS.ErrnoException} */ (error)
      return { ok: false, message, code }
    }
  }

  close() {
    this.#closed = true
    this.#server?.close()
  }
}

/** Removes a socket on which no program answers. @param {string} file */
async function removeStale(file) {
  if (!fs.existsSync(file)) return
  const answers = await new Promise((resolve) => {
    const socket = net.connect({ path: file })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', (/** @type {NodeJS.ErrnoException} */ { code }) => resolve(code !== 'ECONNREFUSED'))
  })
  if (answers) throw new Error(`${file} is in use`)
  fs.rmSync(file, { force: true })
}

module.exports = { AdminSocket, adminPath }
