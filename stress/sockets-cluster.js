'use strict'

// npm run sockets:cluster [-- --rounds 50]: kills all processes of a cluster at once, again and again. Each address that the
// cluster listens on (a port, a path or an inherited socket) must then answer again, with its own server.

const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { once } = require('node:events')
const { parseArgs } = require('node:util')
const { Primary, freePort, requestAt, kill } = require('../__test__/cluster/harness')

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '50' } } })
const ROUNDS = Number(values.rounds)
const host = '127.0.0.1'
const options = { processes: 2, backoff: { initial: 1, max: 1 }, crashLoop: { restarts: 1e9 }, log: false }

/** @typedef {{ host: string, port: number } | { path: string }} Place */

/**
 * @param {string} kind
 * @param {Place[]} places
 * @param {object} how to start the primary
 * @param {() => void} [started] called when it is ready
 */
async function run(kind, places, how, started) {
  const primary = new Primary({ teardown: () => {} }, { app: 'ports-app.js', options, ...how })
  await primary.ready
  started?.()
  let right = 0
  let slowest = 0
  for (let round = 0; round < ROUNDS; round++) {
    const processes = await primary.call('processes')
    const from = primary.events.length
    const start = performance.now()
    for (const { pid } of processes) kill(pid, 'SIGKILL')
    for (const { pid } of processes) await primary.event('exit', (exit) => exit.pid === pid, from)
    const answers = await Promise.all(
      places.map((place) => requestAt(place).catch(({ code }) => ({ body: `"${code}"` })))
    )
    if (answers.every(({ body }, number) => JSON.parse(body).number === number)) right++
    slowest = Math.max(slowest, performance.now() - start)
    while ((await primary.call('status')).state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 5))
  }
  primary.child.kill('SIGTERM')
  const { code } = await primary.exited
  return {
    kind,
    kills: ROUNDS,
    'answered by the right server': right,
    'slowest answer': `${Math.round(slowest)} ms`,
    exit: code
  }
}

/** Options to start a program with sockets as systemd does. @param {net.Server[]} servers */
function activation(servers) {
  return {
    env: { LISTEN_FDS: '2', LISTEN_FDNAMES: 'one:two' },
    command: ['/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', process.execPath]],
    sockets: servers.map((server) => /** @type {any} */ (server)._handle.fd)
  }
}

async function main() {
  const port = await freePort()
  const file = path.join(os.tmpdir(), `rspool-sockets-${process.pid}.sock`)
  const servers = [0, 1].map(() => net.createServer().listen(0, host))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const inherited = servers.map((server) => ({ host, port: /** @type {net.AddressInfo} */ (server.address()).port }))
  const listenAt = (/** @type {Place[]} */ places) => ({ env: { LISTEN: JSON.stringify(places) } })
  const rows = [
    await run('TCP', [{ host, port }], listenAt([{ host, port }])),
    await run('Unix', [{ path: file }], listenAt([{ path: file }])),
    await run('two activated sockets', inherited, activation(servers), () => {
      // Otherwise this program would take connections itself.
      for (const server of servers) server.close()
    })
  ]
  console.table(rows)
  if (rows.some((row) => row['answered by the right server'] < ROUNDS || row.exit !== 0)) process.exit(1)
}

main()
