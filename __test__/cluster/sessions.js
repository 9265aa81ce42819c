'use strict'

// Clusters whose processes have sessions, and clients that ask them.

const fs = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const net = require('node:net')
const path = require('node:path')
const { startPrimary, until } = require('./harness')

const file = (name) => fs.readFileSync(path.join(__dirname, name))
const secure = { rejectUnauthorized: false, cert: file('cert.pem'), key: file('key.pem') }

/** @returns {Promise<{ primary: any, port: number, agent: http.Agent, agents: any, pids: any }>} */
async function start(t, { processes = 2, sticky = { query: 'session' }, ...options } = {}) {
  const started = await startPrimary(t, { app: 'sticky-app.js', options: { processes, sticky, ...options } })
  // All requests of an agent go through one connection.
  const agents = {
    http: new http.Agent({ keepAlive: true, maxSockets: 1 }),
    https: new https.Agent({ keepAlive: true, maxSockets: 1, ...secure })
  }
  t.teardown(() => {
    for (const agent of Object.values(agents)) agent.destroy()
  })
  return { ...started, agents, agent: agents.http }
}

/** Resolves with { status, message, raw, body, trailers }. */
function ask(port, url, { agent, body, ...options } = {}) {
  const { request } = agent instanceof https.Agent ? https : http
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path: url, agent: agent ?? false, ...options }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk)).on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          message: response.statusMessage,
          raw: response.rawHeaders,
          headers: response.headers,
          body: Buffer.concat(chunks),
          trailers: response.trailers
        })
      )
    })
    asked.on('error', reject)
    if (typeof body === 'function') body(asked)
    else asked.end(body)
  })
}

const json = async (...args) => JSON.parse((await ask(...args)).body)

/** An id of a session of each slot. */
async function sessionOfEach(port, slots = 2) {
  const ids = []
  while (Object.keys(ids).length < slots) {
    const id = String((await ask(port, '/new')).body)
    ids[parseInt(id.split('.')[1], 36)] = id
  }
  return ids
}

/** How many requests were relayed. */
async function relayed(primary) {
  const lines = (await primary.call('metrics')).matchAll(/^rspool_http_relayed_total\S* (\d+)$/gm)
  return Array.from(lines, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0)
}

/** What a connection begins with that is to come to any process. */
const ANY = 'GET /bare HTTP/1.1\r\nHost: x\r\n\r\n'

/** Two connections for each session: they come to the processes in turn, so one of each two is relayed. */
const twice = ([one, two]) => [one, two, two, one]

/** Answers of both sessions through one connection: one of them was relayed. */
async function answersOfBoth(port, ids, url, options) {
  const answers = []
  for (const id of ids) answers.push(await ask(port, `${url}?session=${id}`, options))
  return answers
}

/** What a server says until it closes the connection. */
async function raw(port, text) {
  const socket = net.connect(port, '127.0.0.1')
  socket.write(text)
  let all = ''
  for await (const chunk of socket.setEncoding('latin1')) all += chunk
  return all
}

/** Upgrades a connection; resolves with what the application has seen, and the socket. */
async function upgrade(socket, url, head = '') {
  socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n${head}`)
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk
  })
  const line = () => /101 Switching[\s\S]*\r\n\r\n(\{.*\})\n/.exec(text)
  await until(() => line() !== null || socket.destroyed)
  const heard = () => text.slice(line().index + line()[0].length)
  return { seen: JSON.parse(line()[1]), heard }
}

module.exports = { start, ask, json, sessionOfEach, relayed, ANY, twice, answersOfBoth, raw, upgrade }
