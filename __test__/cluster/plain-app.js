'use strict'

// An application that knows nothing of the cluster helper, except for what it reports.

const http = require('node:http')

if (require.main === module) {
  http
    .createServer((request, response) => {
      response.end(
        JSON.stringify({
          main: true,
          args: process.argv.slice(2),
          slot: process.env.RSPOOL_SLOT,
          current: require('../../lib/cluster').current.slot
        })
      )
    })
    .listen(Number(process.env.APP_PORT))
}
