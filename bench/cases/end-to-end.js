'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { load } = require('../lib/load')
const { alternate, interval, median, percentile, ratios } = require('../lib/measure')
const { UNITS, short, targetOfRatios } = require('../lib/report')
const report = require('../workers/report')

const KINDS = ['inline', 'piscina', 'piscina, nice', 'tinypool', 'workerpool', 'rspool', 'rspool, nice']
const PEERS = ['piscina', 'tinypool', 'workerpool']
/** Milliseconds of work per request of the heavy route. */
const HEAVY = 20
const CLIENTS = 4
const RATE = 300

/** @typedef {{ rate: number, cpu: number, p50: number, p95: number, p99: number }} Sample */

/** The size of a report that takes `HEAVY` milliseconds on this machine. */
function calibrate() {
  let size = 1000
  for (let round = 0; round < 6; round++) {
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now()
      report(size)
      return performance.now() - start
    })
    size = Math.round((size * HEAVY) / Math.min(...times))
  }
  return size
}

/** @param {string} name @param {number} size */
async function startServer(name, size) {
  const child = fork(path.join(__dirname, '..', 'children', 'http-server.js'), [name, String(size)])
  const [{ port }] = await once(child, 'message')
  const cpu = async () => {
    child.send('cpu')
    const [{ cpu }] = await once(child, 'message')
    return (cpu.user + cpu.system) / 1000
  }
  return { name, child, port, cpu }
}

/** @param {Awaited<ReturnType<typeof startServer>>} server @param {number} ms @returns {Promise<Sample>} */
async function turn({ port, cpu }, ms) {
  // Warms the server up again after the turns of the others.
  await load(port, { clients: CLIENTS, rate: RATE, ms: ms / 5 })
  const before = await cpu()
  const { heavy, seconds, light } = await load(port, { clients: CLIENTS, rate: RATE, ms })
  const used = (await cpu()) - before
  return {
    rate: heavy / seconds,
    cpu: used / heavy,
    p50: percentile(light, 0.5),
    p95: percentile(light, 0.95),
    p99: percentile(light, 0.99)
  }
}

const COLUMNS = /** @type {const} */ ([
  { key: 'rate', label: 'heavy/s', show: short },
  { key: 'cpu', label: 'CPU each', show: UNITS.ms.show },
  { key: 'p50', label: 'light p50', show: UNITS.ms.show },
  { key: 'p95', label: 'light p95', show: UNITS.ms.show },
  { key: 'p99', label: 'light p99', show: UNITS.ms.show }
])

module.exports = {
  title: 'A server with a heavy route',
  what: `A node:http server in a process of its own: ${CLIENTS} clients of a route that takes ${HEAVY} ms of JavaScript send the next request when they have an answer, while ${RATE} requests a second for another route come whatever happens. Medians of the rounds, and where they lie with a confidence of 90 %.`,

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, quick }) {
    const size = calibrate()
    const servers = []
    try {
      for (const name of KINDS) servers.push(await startServer(name, size))
      const samples = await alternate(servers, rounds, (server) => turn(server, quick ? 1000 : 2500))
      const of = (/** @type {string} */ name, /** @type {keyof Sample} */ key) =>
        /** @type {Sample[]} */ (samples.get(name)).map((sample) => sample[key])
      const best = (/** @type {keyof Sample} */ key, /** @type {1 | -1} */ sign) =>
        PEERS.reduce((one, other) => (sign * (median(of(other, key)) - median(of(one, key))) > 0 ? other : one))
      const cell = (/** @type {number[]} */ all, /** @type {(n: number) => string} */ show) => {
        const [low, high] = interval(all)
        return `${show(median(all))} (${show(low)}–${show(high)})`
      }
      const lines = KINDS.map((name) => [name, ...COLUMNS.map(({ key, show }) => cell(of(name, key), show))])
      const against = (
        /** @type {string} */ own,
        /** @type {string} */ peer,
        /** @type {keyof Sample} */ key,
        /** @type {string} */ text,
        /** @type {any} */ limit
      ) => targetOfRatios(`${text} (${peer})`, ratios(of(own, key), of(peer, key)), limit)
      return {
        tables: [{ lines: [['', ...COLUMNS.map(({ label }) => label)], ...lines] }],
        targets: [
          against('rspool', best('rate', 1), 'rate', 'heavy requests/s not below the best peer’s', { atLeast: 1 }),
          against('rspool', best('p99', -1), 'p99', 'light p99 not above the best peer’s', { atMost: 1 }),
          against('rspool', best('cpu', -1), 'cpu', 'CPU of a heavy request ≤ 1.03× the best peer’s', { atMost: 1.03 }),
          against('rspool, nice', 'piscina, nice', 'p99', 'light p99 with niceIncrement: 10 ≤ 0.6× that of', {
            atMost: 0.6
          })
        ],
        details: Object.fromEntries(samples)
      }
    } finally {
      for (const { child } of servers) child.disconnect()
    }
  }
}
