'use strict'

const { PID } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'a cluster as a page in a browser, live, on this machine only',
  details: `Prints an address of 127.0.0.1 with a random token; without the token nothing is shown. For a server elsewhere take a
tunnel: ssh -L 7070:127.0.0.1:7070 host npx rspool dash --port 7070`,
  options: { ...PID, port: { type: 'number', help: 'of the page (any free one)' } },
  async run({ values }) {
    const { once } = require('node:events')
    const { pick } = require('../clusters')
    const { Dash } = require('../dash/server')
    const { CommandError, EXIT } = require('../failure')
    const dash = new Dash(pick(values.pid))
    try {
      console.log(await dash.listen(values.port ?? 0))
    } catch (error) {
      throw new CommandError(EXIT.failed, `the page cannot be served: ${/** @type {Error} */ (error).message}`)
    }
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
    dash.close()
  }
}
