'use strict'

// The meaning of signals to the primary.

const os = require('node:os')
const tty = require('node:tty')

/** npm and a terminal may both deliver one Ctrl-C. A signal that comes within this time is the same one. */
const SAME = 100

/**
 * @param {{ size: number, scale: (size: number) => Promise<unknown>, reload: () => Promise<unknown> }} supervisor
 * @param {(signal: 'SIGTERM') => unknown} stop
 * @param {(code: number) => unknown} force
 * @returns {() => void} removes them
 */
function installSignals(supervisor, stop, force) {
  const atTerminal = tty.isatty(0)
  let stoppedAt = 0
  const end = (/** @type {'SIGTERM'} */ signal) => {
    const now = performance.now()
    if (stoppedAt === 0) {
      stoppedAt = now
      stop(signal)
    } else if (now - stoppedAt > SAME) {
      force(128 + os.constants.signals[signal])
    }
  }
  const quietly = (/** @type {Promise<unknown>} */ promise) => {
    promise.catch(() => {})
  }
  const resize = (/** @type {number} */ by) => quietly(supervisor.scale(supervisor.size + by))
  const reload = () => quietly(supervisor.reload())
  /** @type {Record<string, (signal: 'SIGTERM') => void>} */
  const handlers = {
    SIGTERM: end,
    SIGINT: end,
    SIGQUIT: end,
    // A terminal that closes ends its programs.
    SIGHUP: (signal) => (atTerminal ? end(signal) : reload()),
    SIGUSR2: reload,
    SIGTTIN: () => resize(1),
    SIGTTOU: () => resize(-1)
  }
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler)
  }
}

module.exports = { installSignals }
