'use strict'

// npm run sticky:cluster [-- --sessions 10000 --reloads 20 --processes 2,4,8]: sessions of socket.io by polling, with an upgrade
// and by WebSocket. Twenty of them share the connections of an agent, and the cluster is reloaded again and again. No
// client may be told that its session is unknown, every byte must arrive, and only few requests of clients with connections
// of their own may be relayed. The cost of a relayed request is measured beside that of a direct one; with
// `--processes ''` nothing else is.

const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const { parseArgs } = require('node:util')
const { io } = require('socket.io-client')
const { Primary, freePort } = require('../__test__/cluster/harness')

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '10000' },
    reloads: { type: 'string', default: '20' },
    processes: { type: 'string', default: '2,4,8' }
  }
})
const CLUSTERS = values.processes.split(',').filter(Boolean).map(Number)
const SESSIONS = Math.ceil(Number(values.sessions) / CLUSTERS.length)
const RELOADS = Math.ceil(Number(values.reloads) / CLUSTERS.length)
const TRANSPORTS = [['polling'], ['polling', 'websocket'], ['websocket']]
/** Sessions that share an agent, and how many agents there are. */
const SHARING = 20
const AGENTS = 2
/** Sessions with connections of their own. */
const OWN = 120
const ECHOES = 5
/** Requests per round, rounds that count, and rounds before them that do not. */
const REQUESTS = 400
const ROUNDS = 30
const WARM = 10
const MOST_RELAYED = 0.05
const MOST_COST = 2

const host = '127.0.0.1'

/** @typedef {{ sessions: number, unknown: number, wrong: number, reconnected: number, refused: Record<string, number> }} Seen what clients have seen */
/** @typedef {{ primary: any, port: number, seen: Seen }} Started */

/** @param {number[]} numbers */
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1]

/** @param {number} processes @returns {Promise<Started>} */
async function start(processes) {
  const port = await freePort()
  const primary = new Primary(
    { teardown: () => {} },
    {
      app: '../../stress/children/sessions.js',
      env: { APP_PORT: String(port) },
      options: { processes, sticky: 'socket.io', counters: ['requests', 'unknown'], grace: 8000 }
    }
  )
  await primary.ready
  return { primary, port, seen: { sessions: 0, unknown: 0, wrong: 0, reconnected: 0, refused: {} } }
}

/**
 * Runs a session that makes some echoes, and that socket.io connects again when its connection ends.
 * @param {Started} started
 * @param {string[]} transports
 * @param {http.Agent} agent
 * @param {(echoes: number) => boolean} goesOn
 */
async function session({ port, seen }, transports, agent, goesOn) {
  /** @type {any} */
  const options = { transports, agent, forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 200 }
  const socket = io(`http://${host}:${port}`, options)
  const look = (/** @type {any} */ why) => {
    const text = why?.context?.responseText ?? why?.description?.message ?? why?.message
    if (/session id unknown/i.test(text)) seen.unknown++
    return text
  }
  socket.on('connect_error', (error) => {
    const { message, description } = /** @type {Error & { description?: unknown }} */ (error)
    const text = `${message}: ${look(error) || description}`.slice(0, 80)
    seen.refused[text] = (seen.refused[text] ?? 0) + 1
  })
  socket.on('disconnect', (_, why) => {
    if (look(why) !== undefined || socket.active) seen.reconnected++
  })
  for (let echoes = 0; goesOn(echoes); ) {
    const bytes = crypto.randomBytes(200)
    // If the session ends meanwhile, the next session makes another echo.
    const back = await socket
      .timeout(60_000)
      .emitWithAck('echo', bytes)
      .catch(() => undefined)
    if (back === undefined) continue
    if (!bytes.equals(back)) seen.wrong++
    echoes++
  }
  seen.sessions++
  socket.close()
}

/** Many sessions over shared connections, while the cluster is reloaded. @param {Started} started */
async function share(started) {
  const { primary, seen } = started
  let begun = 0
  let reloading = true
  const lane = async (/** @type {http.Agent} */ agent, /** @type {number} */ number) => {
    // One session per agent stays open.
    if (number === 0) return session(started, TRANSPORTS[1], agent, () => reloading || begun < SESSIONS)
    while (reloading || begun < SESSIONS)
      await session(started, TRANSPORTS[begun++ % TRANSPORTS.length], agent, (echoes) => echoes < ECHOES)
  }
  // All sessions of an agent poll at once, with only a few connections more than that.
  const agents = Array.from({ length: AGENTS }, () => new http.Agent({ keepAlive: true, maxSockets: SHARING + 2 }))
  const lanes = agents.flatMap((agent) => Array.from({ length: SHARING }, (_, number) => lane(agent, number)))
  let forced = 0
  let slowest = 0
  for (let reload = 0; reload < RELOADS; reload++) {
    const before = seen.sessions
    while (seen.sessions < before + (SESSIONS * reload) / (RELOADS * RELOADS))
      await new Promise((resolve) => setTimeout(resolve, 5))
    const report = await reloadOf(primary)
    forced += report.forced
    slowest = Math.max(slowest, report.durationMs)
  }
  reloading = false
  await Promise.all(lanes)
  for (const agent of agents) agent.destroy()
  return { forced, slowest }
}

/** Waits for the event, since a reload of many processes takes longer than the harness waits. @param {any} primary */
async function reloadOf(primary) {
  const from = primary.events.length
  primary.call('reload').catch(() => {})
  for (;;) {
    const told = primary.events.slice(from).find((/** @type {{ event: string }} */ { event }) => event === 'reload')
    if (told !== undefined) return told.values[0]
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** The share of relayed requests if each client has connections of its own. @param {Started} started */
async function own(started) {
  const before = await count(started)
  for (let begun = 0; begun < OWN; begun += SHARING) {
    await Promise.all(
      Array.from({ length: SHARING }, async (_, number) => {
        const agent = new http.Agent({ keepAlive: true })
        await session(started, TRANSPORTS[number % TRANSPORTS.length], agent, (echoes) => echoes < ECHOES)
        agent.destroy()
      })
    )
  }
  const after = await count(started)
  const relayed = after.relayed - before.relayed
  // A relayed request counts in both processes.
  return relayed / (after.requests - before.requests - relayed)
}

/** @param {Started} started */
async function count({ primary }) {
  const text = await primary.call('metrics')
  const sum = (/** @type {string} */ name) =>
    Array.from(text.matchAll(new RegExp(`^${name}\\S* (\\d+)$`, 'gm')), ([, value]) => Number(value)).reduce(
      (all, value) => all + value,
      0
    )
  return { relayed: sum('rspool_http_relayed_total'), requests: sum('rspool_http_requests_total') }
}

/**
 * @param {number} port
 * @param {string} url
 * @param {http.Agent} agent
 * @param {Buffer} [body]
 * @returns {Promise<{ body: Buffer, slot: number }>}
 */
function ask(port, url, agent, body) {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const headers = body === undefined ? {} : { 'content-length': body.length }
    const asked = http.request({ host, port, path: url, method, headers, agent }, (response) => {
      /** @type {Buffer[]} */
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk)).on('error', reject)
      response.on('end', () => resolve({ body: Buffer.concat(chunks), slot: Number(response.headers['x-slot']) }))
    })
    asked.on('error', reject).end(body)
  })
}

/** A session id of each process, by slot. @param {Started} started @param {number} processes */
async function idOfEach({ port }, processes) {
  const agent = new http.Agent()
  /** @type {string[]} */
  const ids = []
  while (Object.keys(ids).length < processes) {
    const { body, slot } = await ask(port, '/new', agent)
    ids[slot] = body.toString()
  }
  return ids
}

/**
 * How often a MiB of bytes does not come back as it was. One goes to each process over one connection, one as an echo.
 * @param {Started} started
 * @param {number} processes
 */
async function post(started, processes) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  let wrong = 0
  for (const [slot, id] of (await idOfEach(started, processes)).entries()) {
    const bytes = crypto.randomBytes(2 ** 20)
    const answer = await ask(started.port, `/bytes?sid=${id}`, agent, bytes)
    if (!answer.body.equals(bytes) || answer.slot !== slot) wrong++
  }
  agent.destroy()
  const socket = io(`http://${host}:${started.port}`, { transports: ['polling'], forceNew: true })
  const bytes = crypto.randomBytes(2 ** 20)
  if (!bytes.equals(await socket.emitWithAck('echo', bytes))) wrong++
  socket.close()
  return wrong
}

/** CPU time that the processes have used, in microseconds. @param {number[]} pids */
function cpuOf(pids) {
  return pids.reduce((sum, pid) => {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
    // There are a hundred ticks per second.
    return sum + (Number(user) + Number(system)) * 10_000
  }, 0)
}

/**
 * The cost of a relayed request beside a direct one, over the same connection, one at a time: how long the client waits,
 * and how much CPU time client and cluster use for it. In microseconds.
 * @param {Started} started
 * @param {Buffer} [body]
 */
async function cost(started, body) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const ids = await idOfEach(started, 2)
  const pids = (await started.primary.call('processes')).map((/** @type {{ pid: number }} */ { pid }) => pid)
  const { slot } = await ask(started.port, '/', agent)
  /** @type {{ time: number[], cpu: number }[]} */
  const costs = [ids[slot], ids[1 - slot]].map(() => ({ time: [], cpu: 0 }))
  for (let round = 0; round < WARM + ROUNDS; round++) {
    for (const [at, id] of [ids[slot], ids[1 - slot]].entries()) {
      const before = cpuOf([process.pid, ...pids])
      const begun = performance.now()
      for (let n = 0; n < REQUESTS; n++) await ask(started.port, `/?sid=${id}`, agent, body)
      // In the first rounds the code is not optimised yet.
      if (round < WARM) continue
      costs[at].time.push(((performance.now() - begun) * 1000) / REQUESTS)
      costs[at].cpu += (cpuOf([process.pid, ...pids]) - before) / REQUESTS / ROUNDS
    }
  }
  agent.destroy()
  const [direct, relayed] = costs.map(({ time, cpu }) => ({ time: median(time), cpu }))
  return { direct, relayed, ratio: relayed.time / direct.time }
}

/** @param {Awaited<ReturnType<typeof cost>>} cost */
function told({ direct, relayed }) {
  const beside = (/** @type {number} */ one, /** @type {number} */ two) =>
    `${(two / one).toFixed(2)}× (${two.toFixed(0)} / ${one.toFixed(0)} µs)`
  return { time: beside(direct.time, relayed.time), processors: beside(direct.cpu, relayed.cpu) }
}

/** @param {number} processes */
async function run(processes) {
  const started = await start(processes)
  const { primary, seen } = started
  const wrong = await post(started, processes)
  const share_ = await own(started)
  const before = await count(started)
  const { forced, slowest } = await share(started)
  const after = await count(started)
  const unknown = await primary.call('counter', 'unknown')
  primary.child.kill('SIGTERM')
  const { code } = await primary.exited
  const row = {
    processes,
    sessions: seen.sessions,
    'told "unknown"': seen.unknown,
    'answers "unknown"': unknown,
    'wrong bytes': seen.wrong + wrong,
    'connected again': seen.reconnected,
    relayed: after.relayed - before.relayed,
    'relayed of own connections': `${(share_ * 100).toFixed(1)} %`,
    forced,
    'slowest reload': `${Math.round(slowest)} ms`,
    exit: code
  }
  if (Object.keys(seen.refused).length > 0) console.log('refused:', seen.refused)
  const good = seen.unknown === 0 && seen.wrong + wrong === 0 && share_ <= MOST_RELAYED && forced === 0 && code === 0
  return { row, good }
}

async function main() {
  const results = []
  for (const processes of CLUSTERS) {
    results.push(await run(processes))
    console.log(JSON.stringify(results.at(-1)?.row))
  }
  const started = await start(2)
  console.table(results.map(({ row }) => row))
  const costs = { GET: await cost(started), POST: await cost(started, Buffer.alloc(1000, 'x')) }
  started.primary.child.kill('SIGTERM')
  await started.primary.exited
  console.log('a relayed request beside one that is not:', { GET: told(costs.GET), POST: told(costs.POST) })
  const good = results.every(({ good }) => good) && costs.GET.ratio <= MOST_COST && costs.POST.ratio <= MOST_COST
  console.log(good ? 'good' : 'NOT good')
  process.exitCode = good ? 0 : 1
}

main()
