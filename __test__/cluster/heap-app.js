'use strict'

const http = require('node:http')

module.exports = async () => {
  const kept = []
  const server = http.createServer((request, response) => {
    if (request.url !== '/fill') return response.end()
    // In turns, so that the process can tell of its heap until the end.
    const fill = () => {
      for (let n = 0; n < 10_000; n++) kept.push({ n, text: `number ${n}` })
      setTimeout(fill, 20)
    }
    fill()
  })
  await new Promise((resolve) => server.listen(Number(process.env.APP_PORT), resolve))
}
