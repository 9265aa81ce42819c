'use strict'

// CSV to columns beside nodejs-polars and papaparse: `npm install` in this folder, then `node main.js [rows]`. CPU time of
// the process, all threads, and wall time: the least of several rounds in which each has its turn.

const papa = require('papaparse')
const polars = require('nodejs-polars')
const { Pool, lend } = require('rspool')
const { load } = require('..')

const ROWS = Number(process.argv[2] ?? 200_000)
const ROUNDS = 9

/** Rows with numbers, times, texts, and quotes here and there. */
function csv() {
  let seed = 12345
  const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x80000000
  const pick = (list) => list[Math.floor(random() * list.length)]
  const cities = ['Berlin', 'Paris', '"New York, NY"', 'São Paulo', 'Tokyo', 'Oslo', 'Lima', 'Cairo']
  const notes = ['', '', '"said ""hi"", twice"', 'plain words here', 'plain words here', 'plain words here']
  const lines = ['id,name,city,price,quantity,when,note']
  for (let id = 0; id < ROWS; id++) {
    const name = `user-${Math.floor(random() * 1e6).toString(36)}`
    const when = new Date(1.7e12 + Math.floor(random() * 1e8) * 1000).toISOString().replace('.000', '')
    const price = (random() * 1000).toFixed(2)
    lines.push([id, name, pick(cities), price, Math.floor(random() * 100), when, pick(notes)].join(','))
  }
  return Buffer.from(lines.join('\n'))
}

async function main() {
  await load()
  const bytes = csv()
  const text = bytes.toString()
  const pool = new Pool({ maxThreads: 2, minThreads: 2 })
  const own = (params) => () => pool.runTask('table.csv', lend(bytes), { params })
  /** @type {Record<string, () => unknown>} */
  const ways = {
    'rspool-table, times as texts': own({ columns: { when: 'text' } }),
    'nodejs-polars readCSV': () => polars.readCSV(bytes),
    'rspool-table, times as times': own({}),
    'nodejs-polars readCSV, tryParseDates': () => polars.readCSV(bytes, { tryParseDates: true }),
    'papaparse, texts': () => papa.parse(text),
    'papaparse, dynamicTyping': () => papa.parse(text, { header: true, dynamicTyping: true })
  }
  const cpu = Object.fromEntries(Object.keys(ways).map((name) => [name, Infinity]))
  const wall = { ...cpu }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, way] of Object.entries(ways)) {
      const [before, start] = [process.cpuUsage(), performance.now()]
      await way()
      const { user, system } = process.cpuUsage(before)
      cpu[name] = Math.min(cpu[name], (user + system) / 1000)
      wall[name] = Math.min(wall[name], performance.now() - start)
    }
  }
  console.log(`${ROWS} rows, ${(bytes.length / 1e6).toFixed(1)} MB; ms of CPU, and of wall time`)
  for (const name of Object.keys(ways)) console.log(name.padEnd(40), cpu[name].toFixed(1), wall[name].toFixed(1))
  const ratio = (own, other) =>
    `${(cpu[own] / cpu[other]).toFixed(2)} by CPU, ${(wall[own] / wall[other]).toFixed(2)} by wall time`
  const [plain, peer, timed, timedPeer, texts, typed] = Object.keys(ways)
  console.log(`to polars: ${ratio(plain, peer)}; with times: ${ratio(timed, timedPeer)}`)
  console.log(`to papaparse: ${ratio(plain, texts)}; with types: ${ratio(timed, typed)}`)
  await pool.close()
}

main()
