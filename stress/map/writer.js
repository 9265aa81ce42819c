'use strict'

// A process of stress/torture-map.js: node writer.js <seat> <seed>, with the maps and the ledger as descriptors 3 to 5. It
// works until it is killed, or until it finds an error.

const { Pool } = require('../..')
const { SharedMap } = require('../../lib/shared-map')
const { randomFrom } = require('../lib/random')
const { bound } = require('../../lib/shared-map/memory')
const { CELL, KEYS, Ledger, counterCell, keyCell } = require('./ledger')
const { checkKey, checkKeys, nameOf, puts } = require('./own-keys')
const { numberOf, make } = require('./values')

const [, , seatText, seed] = process.argv
const seat = Number(seatText)
const kept = SharedMap.open(3, seat)
const cache = SharedMap.open(4, seat)
const ledger = new Ledger(bound.openMap(5, seat), seat)
const random = randomFrom(Number(seed))

/**
 * Returns false if the map was busy and nothing was done. Only a call with a new key may have to wait for a process that has
 * no CPU.
 * @param {() => unknown} call
 */
function unlessBusy(call) {
  try {
    call()
    return true
  } catch (error) {
    if (error.code !== 'ERR_RSPOOL_MAP_BUSY') throw error
    ledger.raise(CELL.BUSY)
    return false
  }
}

/** Does the next step of a key of this process. */
function ownStep() {
  const key = random.below(KEYS)
  const cell = keyCell(key)
  const step = ledger.get(cell + 1) + 1
  const name = nameOf(seat, key)
  ledger.put(cell, step)
  const done = unlessBusy(() => (puts(step) ? kept.set(name, make(name, step)) : kept.delete(name)))
  if (done) ledger.put(cell + 1, step)
  else ledger.put(cell, step - 1)
}

/** @param {number} counter @param {() => unknown} call */
function count(counter, call) {
  const cell = counterCell(counter)
  ledger.raise(cell)
  if (unlessBusy(call)) ledger.raise(cell + 1)
  else ledger.put(cell, ledger.get(cell) - 1)
}

/** @param {SharedMap} map @param {string} name */
function look(map, name) {
  const value = map.get(name)
  if (value !== undefined) numberOf(name, value)
}

const common = () => `all:${random.below(500)}`
const cached = () => `cached:${random.below(4000)}`
const number = () => random.below(1e6)

/** The operations, and how many of a hundred each is. @type {[number, () => unknown][]} */
const operations = [
  [22, () => look(kept, common())],
  [18, () => look(cache, cached())],
  [6, () => checkKey(kept, ledger, seat, random.below(KEYS))],
  [12, ownStep],
  [8, () => count(0, () => kept.increment('count:plain'))],
  [3, () => count(1, () => kept.increment('count:large', 1n, { initial: 2n ** 60n }))],
  [3, () => count(2, () => kept.update('count:updated', (value) => (value ?? 0) + 1))],
  [
    8,
    () => {
      const name = common()
      unlessBusy(() => kept.set(name, make(name, number())))
    }
  ],
  [3, () => kept.delete(common())],
  [
    2,
    () => {
      const name = common()
      const before = kept.get(name)
      unlessBusy(() => kept.compareAndSet(name, before, make(name, number())))
    }
  ],
  [
    13,
    () => {
      const name = cached()
      const ttl = random.below(4) === 0 ? 1 + random.below(50) : Infinity
      unlessBusy(() => cache.set(name, make(name, number()), { ttl }))
    }
  ],
  [1, () => cache.expire(cached(), 1 + random.below(20))],
  [1, () => cache.delete(cached())]
]
const table = operations.flatMap(([times, operation]) => Array(times).fill(operation))

/** Operations that go through a whole map, and so are done only now and then. */
function seldom() {
  for (const name of kept.keys({ prefix: `own:${seat}:` })) look(kept, name)
  if (random.below(4) === 0) cache.clear()
  cache.stats()
}

function work() {
  for (let n = 0; n < 2000; n++) {
    table[random.below(table.length)]()
    ledger.raise(CELL.OPERATIONS)
  }
  if (random.below(40) === 0) seldom()
  setImmediate(work)
}

const pool = new Pool({ maxThreads: 2 })

/** Has a native worker use a map, again and again. */
async function workNatively() {
  const cell = counterCell(3)
  for (;;) {
    const times = 100 + random.below(400)
    ledger.put(cell, ledger.get(cell) + times)
    await pool.runTask('test.useMap', [kept, 'all:', times])
    ledger.put(cell + 1, ledger.get(cell + 1) + times)
  }
}

// This process ends when the process that started it ends.
process.stdin.resume().once('end', () => process.exit(0))
checkKeys(kept, ledger, seat)
for (let n = 0; n < 2; n++) workNatively()
work()
