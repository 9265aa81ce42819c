'use strict'

// npm run full:map [-- --minutes 60 --processes 4 --seed 1]: processes put new keys, with values of all lengths, into a map
// that is always at least 95 % full. No `set` may fail: there is always an entry to evict, however many blocks the value
// needs, and whichever other process makes room at the same moment.

const { fork } = require('node:child_process')
const { once } = require('node:events')
const { parseArgs } = require('node:util')
const { SharedMap } = require('../lib/shared-map')
const { randomFrom } = require('./lib/random')

const BYTES = 2 ** 24
/** The share of the map that must be in use. */
const FULL = 0.95
const LONGEST = 2 ** 14
/** Milliseconds between two reports of a process. */
const TELL_EVERY = 1000

const MAP = 3
const [, , role] = process.argv

/** A value for `n`, of one block or of hundreds, most of them short. @param {(below: number) => number} below */
function someValue(below) {
  const length = below(2 ** (3 + below(Math.log2(LONGEST) - 2)))
  return 'v'.repeat(length)
}

/** Puts keys until the parent ends this process. */
function work() {
  const seat = Number(process.argv[3])
  const random = randomFrom(Number(process.argv[4]))
  const map = SharedMap.open(MAP, seat)
  const seen = { sets: 0, busy: 0, failed: 0, wrong: 0, first: '' }
  let told = performance.now()
  const some = () => {
    for (let n = 0; n < 500; n++) {
      const key = `${seat}:${random.below(1e9)}`
      const value = someValue(random.below)
      try {
        if (!map.set(key, value)) seen.failed++
        seen.sets++
        const there = map.get(key)
        if (there !== undefined && there !== value) seen.wrong++
      } catch (error) {
        if (error.code === 'ERR_RSPOOL_MAP_BUSY') seen.busy++
        else {
          seen.failed++
          seen.first ||= String(error)
        }
      }
    }
    if (performance.now() - told >= TELL_EVERY) {
      told = performance.now()
      process.send?.({ ...seen })
    }
    setImmediate(some)
  }
  process.on('disconnect', () => process.exit(0))
  some()
}

async function main() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '60' },
      processes: { type: 'string', default: '4' },
      seed: { type: 'string', default: '1' }
    }
  })
  const processes = Number(values.processes)
  const { map, native } = SharedMap.create(
    { bytes: BYTES, ttl: Infinity, evict: true, maxValueBytes: LONGEST },
    processes + 1
  )
  // Fills the map before the processes begin.
  for (let n = 0; map.stats().usedBytes < FULL * BYTES; n++)
    for (let of = 0; of < 1000; of++) map.set(`begin ${n}:${of}`, 'v'.repeat(of % 100))
  const children = Array.from({ length: processes }, (_, seat) =>
    fork(__filename, ['work', String(seat), String(Number(values.seed) * 1000 + seat)], {
      stdio: ['ignore', 'inherit', 'inherit', native.fd(), 'ipc']
    })
  )
  /** @type {{ sets: number, busy: number, failed: number, wrong: number, first: string }[]} */
  const seen = []
  for (const [seat, child] of children.entries())
    child.on('message', (message) => (seen[seat] = /** @type {any} */ (message)))
  const sum = (/** @type {'sets'|'busy'|'failed'|'wrong'} */ what) =>
    seen.reduce((all, one) => all + (one?.[what] ?? 0), 0)
  const began = performance.now()
  let least = 1
  let minutes = 0
  while (performance.now() - began < Number(values.minutes) * 60_000 && sum('failed') === 0) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    least = Math.min(least, map.stats().usedBytes / BYTES)
    if (Math.floor((performance.now() - began) / 60_000) === minutes) continue
    minutes++
    console.log(
      `${minutes} min, ${(sum('sets') / 1e6).toFixed(1)} M sets, never less than ${(least * 100).toFixed(1)} % full`
    )
  }
  for (const child of children) child.kill('SIGKILL')
  await Promise.all(children.map((child) => once(child, 'exit')))
  const { evicted } = map.stats()
  const first = seen.find((one) => one?.first)?.first
  console.log({
    minutes: ((performance.now() - began) / 60_000).toFixed(1),
    sets: sum('sets'),
    failed: sum('failed'),
    ...(first && { first }),
    'refused as busy': sum('busy'),
    'wrong values': sum('wrong'),
    evicted,
    'least full': `${(least * 100).toFixed(1)} %`
  })
  const good = sum('sets') > 0 && sum('failed') === 0 && sum('wrong') === 0 && evicted > 0
  console.log(good ? 'good' : 'NOT good')
  process.exitCode = good ? 0 : 1
}

if (role === 'work') work()
else main()
