'use strict'

const http = require('node:http')

module.exports = async ({ sockets: [{ fd, name }] }) => {
  const server = http.createServer((request, response) => response.end(name))
  await new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen({ fd }, resolve)
  })
}
