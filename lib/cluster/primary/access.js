'use strict'

// The ways to reach the primary of a cluster: HTTP for probes and metrics, and the admin socket for commands.

const { serveMetrics } = require('../metrics')
const { AdminSocket, adminPath } = require('./admin')

class Access {
  /** @type {import('node:http').Server|undefined} */
  #metrics
  /** @type {AdminSocket|undefined} */
  #admin

  /**
   * @param {import('../options').ClusterOptions} options
   * @param {object} host
   * @param {Omit<Parameters<typeof serveMetrics>[1], 'log'>} host.pages
   * @param {import('./admin').Commands} host.commands
   * @param {() => void} host.opened called when the admin socket is open
   * @param {(line: string) => void} host.log
   */
  constructor({ metricsPort, metricsHost, admin }, { pages, commands, opened, log }) {
    if (metricsPort !== undefined)
      this.#metrics = serveMetrics({ port: metricsPort, host: metricsHost }, { ...pages, log })
    const socket = adminPath(admin)
    if (socket !== undefined) this.#admin = new AdminSocket(socket, commands, { opened, log })
  }

  close() {
    this.#metrics?.close()
    this.#admin?.close()
  }
}

module.exports = { Access }
