import http from 'node:http'

http
  .createServer((request, response) => response.end(`module ${process.env.RSPOOL_SLOT}`))
  .listen(Number(process.env.APP_PORT))
