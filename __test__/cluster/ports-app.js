'use strict'

// Listens at each of the places that LISTEN names; each server answers with its number. Inherited sockets
// come last.

const http = require('node:http')

module.exports = async ({ sockets, slot }) => {
  const places = [...JSON.parse(process.env.LISTEN ?? '[]'), ...sockets.map(({ fd }) => ({ fd }))]
  const servers = places.map((place, number) => {
    const server = http.createServer((request, response) =>
      response.end(JSON.stringify({ number, slot, pid: process.pid, address: server.address() }))
    )
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(place, resolve)
    })
  })
  await Promise.all(servers)
}
