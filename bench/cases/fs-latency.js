'use strict'

const fs = require('node:fs/promises')
const path = require('node:path')
const { promisify } = require('node:util')
const zlib = require('node:zlib')
const { Pool } = require('../..')
const { alternate, latencies, percentile, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const file = path.join(__dirname, '..', '..', 'package.json')
const gzip = promisify(zlib.gzip)

/** Text that takes gzip some 10 ms. */
function text() {
  const words = ['lorem', 'ipsum', 'dolor', 'sit', 'amet', 'consectetur', 'adipiscing', 'elit']
  let seed = 1
  const word = () => words[(seed = (seed * 1103515245 + 12345) & 0x7fffffff) % words.length]
  return Buffer.from(Array.from({ length: 60_000 }, word).join(' '))
}

module.exports = {
  title: 'fs.readFile while 64 heavy tasks are in flight',
  what: 'p99 of reading a small file, one read at a time: with nothing else, with gzip in rspool’s native lane, with the same through libuv’s pool. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, ms }) {
    const input = text()
    const pool = new Pool({ minThreads: 2, maxThreads: 2 })
    const ways = [
      { name: 'idle' },
      { name: '64 × gzip in rspool', load: () => pool.runTask('compress.gzip', input) },
      { name: '64 × gzip in libuv’s pool', load: () => gzip(input) }
    ]
    const samples = await alternate(ways, rounds, async ({ load }) => {
      let ended = false
      const loop = async () => {
        while (!ended) await load()
      }
      const loads = load === undefined ? [] : Array.from({ length: 64 }, loop)
      const times = await latencies(() => fs.readFile(file), ms * 2)
      ended = true
      await Promise.all(loads)
      return percentile(times, 0.99)
    })
    await pool.close()
    const [idle, native, libuv] = [...samples.values()]
    return {
      tables: [{ unit: 'ms', against: 'idle', rows: rowsOf(samples) }],
      targets: [
        target('≤ 1.5× idle, where cores allow', ratio(native, idle), { atMost: 1.5 }),
        target('≤ 0.2× the same load on libuv’s pool', ratio(native, libuv), { atMost: 0.2 })
      ]
    }
  }
}
