'use strict'

// The notifications for systemd, and the sockets that it may have opened for this program. Without systemd's variables
// in the environment this code does nothing.

const native = require('../../native/load')

/** The first descriptor that systemd passes (sd_listen_fds(3)). */
const FIRST = 3

/** Tells the service manager of the supervisor's states. */
class Notifier {
  #path = process.env.NOTIFY_SOCKET
  /** @type {NodeJS.Timeout|undefined} */
  #watchdog

  /** @param {() => boolean} healthy the watchdog is fed only while this is true */
  constructor(healthy) {
    const { WATCHDOG_USEC, WATCHDOG_PID } = process.env
    const every = Number(WATCHDOG_USEC) / 1000 / 2
    if (
      this.#path === undefined ||
      !(every > 0) ||
      (WATCHDOG_PID !== undefined && Number(WATCHDOG_PID) !== process.pid)
    )
      return
    this.#watchdog = setInterval(() => {
      if (healthy()) this.#send('WATCHDOG=1')
    }, every)
    this.#watchdog.unref()
  }

  /** @param {number} size */
  ready(size) {
    this.#send(`READY=1\nSTATUS=${size} processes\nMAINPID=${process.pid}`)
  }

  reloading() {
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
  }

  stopping() {
    clearInterval(this.#watchdog)
    this.#send('STOPPING=1')
  }

  #send(/** @type {string} */ state) {
    if (this.#path === undefined) return
    try {
      native.notify(this.#path, state)
    } catch {
      // No program listens there, so there is no one to tell.
    }
  }
}

/**
 * The listening sockets that systemd opened. A process listens on one by `server.listen({ fd })`, which
 * core does in the primary, with a copy (see ports.js), so the numbers stay valid.
 * @returns {{ name: string, fd: number }[]}
 */
function inheritedSockets() {
  const { LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES } = process.env
  const count = Number(LISTEN_PID) === process.pid && Number(LISTEN_FDS) > 0 ? Number(LISTEN_FDS) : 0
  const names = LISTEN_FDNAMES?.split(':') ?? []
  return Array.from({ length: count }, (_, at) => ({ name: names[at] ?? 'unknown', fd: FIRST + at }))
}

module.exports = { Notifier, inheritedSockets }
