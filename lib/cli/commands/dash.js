'use strict'

const { PID, JSON_OPTION } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'a cluster as a page in a browser, live, on this machine only',
  details: `Prints an address of 127.0.0.1 with a random token; without the token nothing is shown. For a server elsewhere take a
tunnel: ssh -L 7070:127.0.0.1:7070 host npx rspool dash --port 7070`,
  options: { ...PID, port: { type: 'number', help: 'of the page (any free one)' }, ...JSON_OPTION },
  async run({ values }) {
    const { once } = require('node:events')
    const { pick } = require('../clusters')
    const { Dash } = require('../dash/server')
    const { CommandError, EXIT } = require('../failure')
    const { json } = require('../output')
    const cluster = pick(values.pid)
    const dash = new Dash(cluster)
    try {
      const url = await dash.listen(values.port ?? 0)
      if (values.json) json({ pid: cluster.pid, url })
      else console.log(url)
    } catch (error) {
      throw new CommandError(EXIT.failed, `the page cannot be served: ${/** @type {Error} */ (error).message}`)
    }
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
    dash.close()
  }
}
