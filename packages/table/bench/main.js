'use strict'

// CSV to columns beside nodejs-polars, papaparse and csv-parse: `npm install` in this folder, then `node main.js [rows]`.
// CPU time of the process, all threads, and wall time, first with the threads of polars and two of ours, then with one
// of each.

const { spawnSync } = require('node:child_process')
const { alternate, median, ratios } = require('../../../bench/lib/measure')
const { print, targetOfRatios } = require('../../../bench/lib/report')
const { csv } = require('./csv')

const ROWS = Number(process.argv[2] ?? 200_000)
const ROUNDS = Number(process.env.ROUNDS ?? 15)

/**
 * A way to read the file.
 * @typedef {{ name: string, read: (bytes: Buffer) => unknown }} Way
 * Milliseconds.
 * @typedef {{ cpu: number, wall: number }} Sample
 */

/** @param {Way} way @param {Buffer} file @returns {Promise<Sample>} */
async function measure({ read }, file) {
  // What others have left is not its work.
  globalThis.gc?.()
  // As a program has it that reads one file after another.
  const bytes = Buffer.from(file)
  const [before, start] = [process.cpuUsage(), performance.now()]
  await read(bytes)
  const wall = performance.now() - start
  const { user, system } = process.cpuUsage(before)
  return { cpu: (user + system) / 1000, wall }
}

/** @param {number} threads */
async function compare(threads) {
  const polars = require('nodejs-polars')
  const { Pool, lend } = require('rspool')
  await require('..').load()
  const file = csv(ROWS)
  const pool = new Pool({ maxThreads: threads, minThreads: threads })
  const times = { columns: { when: 'text' } }
  /** @type {Way[]} */
  const ways = [
    {
      name: 'rspool-table, times as texts',
      read: (bytes) => pool.runTask('table.csv', lend(bytes), { params: times })
    },
    { name: 'nodejs-polars readCSV', read: (bytes) => polars.readCSV(bytes) },
    { name: 'rspool-table, times as times', read: (bytes) => pool.runTask('table.csv', lend(bytes)) },
    {
      name: 'nodejs-polars readCSV, tryParseDates',
      read: (bytes) => polars.readCSV(bytes, { tryParseDates: true })
    }
  ]
  if (threads > 1) ways.push(...inJavaScript(file))
  const samples = await alternate(ways, ROUNDS, (way) => measure(way, file))
  await pool.close()

  /** @param {string} name @param {'cpu' | 'wall'} time */
  const of = (name, time) => (samples.get(name) ?? []).map((sample) => sample[time])
  /** @param {Way} way */
  const line = ({ name }) => [name, median(of(name, 'cpu')).toFixed(1), median(of(name, 'wall')).toFixed(1)]
  const lines = [['', 'CPU, ms', 'wall time, ms'], ...ways.map(line)]
  /** @param {number} one @param {number} other @param {number} atMost */
  const target = (one, other, atMost) =>
    /** @type {const} */ (['cpu', 'wall']).map((time) => {
      const [ours, theirs] = [ways[one].name, ways[other].name]
      const text = `${ours} ÷ ${theirs}, ${time === 'cpu' ? 'CPU' : 'wall time'}, at most ${atMost}`
      return targetOfRatios(text, ratios(of(ours, time), of(theirs, time)), { atMost })
    })
  const targets = [...target(0, 1, 1.1), ...target(2, 3, 1.1)]
  if (threads > 1) targets.push(...target(0, 4, 0.3), ...target(2, 5, 0.3), ...target(0, 6, 0.3))
  const size = (file.length / 1e6).toFixed(1)
  print(
    { title: `CSV to columns, threads: ${threads}`, what: `${ROWS} rows, ${size} MB` },
    { tables: [{ lines }], targets }
  )
}

/** @param {Buffer} file @returns {Way[]} */
function inJavaScript(file) {
  const papa = require('papaparse')
  const { parse } = require('csv-parse/sync')
  const text = file.toString()
  return [
    { name: 'papaparse, texts', read: () => papa.parse(text) },
    { name: 'papaparse, dynamicTyping', read: () => papa.parse(text, { header: true, dynamicTyping: true }) },
    { name: 'csv-parse, texts', read: (bytes) => parse(bytes) }
  ]
}

if (process.env.THREADS) compare(Number(process.env.THREADS))
else
  for (const threads of ['2', '1']) {
    const env = { ...process.env, THREADS: threads, POLARS_MAX_THREADS: threads }
    spawnSync(process.execPath, ['--expose-gc', __filename, String(ROWS)], { env, stdio: 'inherit' })
  }
