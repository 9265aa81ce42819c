'use strict'

// npm run torture:map [-- --kills 10000 --operations 100e6 --processes 4 --seed 1]: processes use two shared maps as hard as
// they can, from JavaScript and from native workers, and are killed again and again, each in the middle of an operation. No
// value may be torn, and no completed operation lost. Counters must include every completed operation and none that was not
// begun. A map that evicts must refuse nothing. In the end every block and every lock must be free again.

const path = require('node:path')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { setTimeout: pause } = require('node:timers/promises')
const { parseArgs } = require('node:util')
const { SharedMap } = require('../lib/shared-map')
const { randomFrom } = require('./lib/random')
const { CELL, COUNTERS, Ledger, counterCell } = require('./map/ledger')
const { checkKeys } = require('./map/own-keys')

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '10000' },
    operations: { type: 'string', default: '100e6' },
    processes: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' }
  }
})
const KILLS = Number(values.kills)
const OPERATIONS = Number(values.operations)
const PROCESSES = Number(values.processes)
const random = randomFrom(Number(values.seed))
/** The value at which one of the counters begins. */
const LARGE = 2n ** 60n
const seats = Array.from({ length: PROCESSES }, (_, seat) => seat)

const spec = { ttl: Infinity, maxValueBytes: 2 ** 15 }
const kept = SharedMap.create({ ...spec, bytes: 2 ** 23, evict: false }, PROCESSES + 1)
const cache = SharedMap.create({ ...spec, bytes: 2 ** 19, evict: true }, PROCESSES + 1)
const shared = Ledger.create(PROCESSES)
const ledgers = seats.map((seat) => shared.of(seat))

/** @param {number} seat */
function start(seat) {
  const args = [path.join(__dirname, 'map', 'writer.js'), String(seat), String(random.below(2 ** 31))]
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'inherit', 'inherit', kept.native.fd(), cache.native.fd(), shared.native.fd()],
    env: { ...process.env, RSPOOL_TEST_TASKS: '1' }
  })
  return { child, ended: once(child, 'exit') }
}

/** @param {number} cell @returns {number} the sum over all processes */
const sum = (cell) => ledgers.reduce((all, ledger) => all + ledger.get(cell), 0)

/**
 * Recovers the seat of a process that has died. The values of its keys must be the known ones, before that and afterwards.
 * @param {number} seat
 */
function lookAfter(seat) {
  const look = () => checkKeys(kept.map, ledgers[seat], seat)
  look()
  for (const { native } of [kept, cache, shared]) native.recover(seat)
  look()
}

/** @param {boolean} good @param {string} what */
function expect(good, what) {
  if (!good) throw new Error(what)
}

function checkCounters() {
  return COUNTERS.map((name, counter) => {
    const value = BigInt(kept.map.get(name) ?? 0)
    const counted = Number(value > LARGE ? value - LARGE : value)
    const begun = sum(counterCell(counter))
    const done = sum(counterCell(counter) + 1)
    expect(counted >= done && counted <= begun, `${name}: ${counted}, ${done} done, ${begun} begun`)
    return `${counted} within ${done} and ${begun}`
  })
}

/** Checks that in the end only this process holds blocks, and no set is locked. */
function checkRoom() {
  const stolen = kept.map.stats().locksTakenOver + cache.map.stats().locksTakenOver
  const recovered = kept.map.stats().blocksRecovered + cache.map.stats().blocksRecovered
  for (const { map, native } of [kept, cache]) {
    const blocks = () => {
      const [, , , , , , , free, held] = native.statistics()
      return { used: map.stats().usedBytes / 160, free, held }
    }
    const before = blocks()
    map.clear()
    const { used, free, held } = blocks()
    expect(used === 0, `${used} blocks of no entry`)
    expect(held <= 8, `${held} blocks are in hands`)
    expect(free + held === before.used + before.free + before.held, 'blocks are missing')
  }
  // Each set gets new keys: a locked set would refuse them.
  const room = 2 ** 23 / 160 / 2
  for (let n = 0; n < room; n++) kept.map.set(`new ${n}`, n)
  for (let n = 0; n < 20_000; n++) cache.map.set(`new ${n}`, 'x'.repeat(n % 300))
  return { stolen, recovered }
}

let kills = 0

/**
 * Has a process work in a seat, kills it after some operations, and recovers the seat, until there were enough kills and
 * operations.
 * @param {number} seat
 */
async function torture(seat) {
  while (kills < KILLS || sum(CELL.OPERATIONS) < OPERATIONS) {
    const { child, ended } = start(seat)
    const until = ledgers[seat].get(CELL.OPERATIONS) + 1 + random.below((2 * OPERATIONS) / KILLS)
    while (ledgers[seat].get(CELL.OPERATIONS) < until && child.exitCode === null) await pause(1)
    child.kill('SIGKILL')
    const [code, signal] = await ended
    expect(signal === 'SIGKILL', `a process has ended with ${code ?? signal}`)
    // The other processes go on for a while with the locks and blocks that it has left behind.
    await pause(random.below(5))
    lookAfter(seat)
    kills++
    if (kills % 500 === 0) console.log(`${kills} kills, ${(sum(CELL.OPERATIONS) / 1e6).toFixed(1)} M operations`)
  }
}

async function main() {
  const began = performance.now()
  await Promise.all(seats.map(torture))
  const counters = checkCounters()
  const { stolen, recovered } = checkRoom()
  console.log({
    kills,
    operations: sum(CELL.OPERATIONS),
    seconds: Math.round((performance.now() - began) / 1000),
    'torn or lost': 0,
    counters,
    'locks taken over': stolen,
    'blocks recovered': recovered,
    'refused as busy': sum(CELL.BUSY),
    evicted: cache.map.stats().evicted
  })
  console.log('good')
}

if (PROCESSES < 1 || KILLS < 1) throw new Error('too few of them')
main().catch((error) => {
  console.error(error)
  console.log('NOT good')
  process.exit(1)
})
