'use strict'

// Takes its time to boot, and asks for its slot at once, when it listens, or too early.

const http = require('node:http')

module.exports = process.env.ASKS === 'at once' ? ({ slot }) => serve(() => slot) : (context) => boot(context)

async function boot(context) {
  context.gauges.set('depth', 1)
  context.counters.add('requests')
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
  if (process.env.ASKS === 'too early') context.slot
  await serve(() => context.slot)
}

async function serve(slot) {
  const server = http.createServer((request, response) =>
    response.end(JSON.stringify({ pid: process.pid, slot: slot(), env: process.env.RSPOOL_SLOT, own: process.env.OWN }))
  )
  await new Promise((resolve) => server.listen(Number(process.env.APP_PORT), resolve))
}
