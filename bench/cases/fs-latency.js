'use strict'

const fs = require('node:fs/promises')
const path = require('node:path')
const { promisify } = require('node:util')
const zlib = require('node:zlib')
const { Pool, cpuCount } = require('../..')
const { alternate, latencies, percentile, ratio } = require('../lib/measure')
const { rowsOf, target } = require('../lib/report')

const file = path.join(__dirname, '..', '..', 'package.json')
const gzip = promisify(zlib.gzip)
const IDLE = 'idle'
const ALL = 'rspool on all cores'
const NICE = 'the same, niceIncrement: 10'
const FREE = 'rspool, a core left free'
const LIBUV = 'libuv’s pool'

/** A text that gzip compresses in some 10 ms. */
function text() {
  const words = ['lorem', 'ipsum', 'dolor', 'sit', 'amet', 'consectetur', 'adipiscing', 'elit']
  let seed = 1
  // The low bits of such a generator repeat soon; its high bits do not.
  const word = () => words[(seed = (seed * 1103515245 + 12345) & 0x7fffffff) >>> 28]
  return Buffer.from(Array.from({ length: 60_000 }, word).join(' '))
}

module.exports = {
  title: 'fs.readFile while 64 heavy tasks are in flight',
  what: 'p99 of reading a small file, one read at a time: with nothing else, with gzip in rspool’s native lane, with the same through libuv’s pool. Lower is better.',

  /** @param {import('../lib/peers').Setting} setting */
  async run({ rounds, ms }) {
    const input = text()
    const cores = cpuCount()
    const pools = [
      new Pool({ minThreads: cores, maxThreads: cores }),
      new Pool({ minThreads: cores, maxThreads: cores, niceIncrement: 10 }),
      new Pool({ minThreads: 1, maxThreads: Math.max(1, cores - 1) })
    ]
    const [all, nice, free] = pools.map((pool) => () => pool.runTask('compress.gzip', input))
    const ways = [
      { name: IDLE },
      { name: ALL, load: all },
      { name: NICE, load: nice },
      { name: FREE, load: free },
      { name: LIBUV, load: () => gzip(input) }
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
    await Promise.all(pools.map((pool) => pool.close()))
    const against = (/** @type {string} */ name, /** @type {string} */ other) =>
      ratio(/** @type {number[]} */ (samples.get(name)), /** @type {number[]} */ (samples.get(other)))
    return {
      tables: [{ unit: 'ms', against: IDLE, rows: rowsOf(samples) }],
      targets: [
        target('≤ 1.5× idle, a core left free', against(FREE, IDLE), { atMost: 1.5 }),
        target('≤ 0.2× the same load on libuv’s pool', against(ALL, LIBUV), { atMost: 0.2 })
      ]
    }
  }
}
