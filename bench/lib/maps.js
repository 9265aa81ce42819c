'use strict'

// Shared maps beside Redis on loopback, lmdb in memory and a Map of this thread. All have the same 1,000 keys of 100 bytes
// each, and take turns, so that whatever else the machine does affects all of them.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { fork, spawn } = require('node:child_process')
const { once } = require('node:events')
const { median } = require('./measure')
const { SharedMap } = require('../..')
const { freePort } = require('../../__test__/cluster/harness')

const KEYS = Array.from({ length: 1000 }, (_, n) => `user:${n}:profile`)
const TEXT = 'x'.repeat(100)
const DATA = { id: 7, name: 'someone', roles: ['a', 'b'], score: 1.5, when: '2026-11-28T21:00:00Z' }
const ROUNDS = 40
/** How often each process counts. */
const COUNTS = 1_000_000

/** Depends on every read, so that no read is optimised away. */
let sink = 0

/** Nanoseconds per call, over `n` calls. @param {number} n @param {(key: string) => unknown} call */
function timed(n, call) {
  const start = process.hrtime.bigint()
  for (let i = 0; i < n; i++) if (call(KEYS[i % KEYS.length]) === undefined) sink++
  return Number(process.hrtime.bigint() - start) / n
}

/**
 * The same for calls that return promises, with `inFlight` of them in flight.
 * @param {number} n
 * @param {number} inFlight
 * @param {(key: string) => Promise<unknown>} call
 */
async function timedInFlight(n, inFlight, call) {
  let at = 0
  const start = process.hrtime.bigint()
  const caller = async () => {
    while (at < n) if ((await call(KEYS[at++ % KEYS.length])) === undefined) sink++
  }
  await Promise.all(Array.from({ length: inFlight }, caller))
  return Number(process.hrtime.bigint() - start) / n
}

/** Starts a server that writes no file, and gives a client of it. @param {(() => void)[]} cleanups */
async function startRedis(cleanups) {
  const port = await freePort()
  const args = ['--port', String(port), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1']
  const server = spawn('redis-server', args, { stdio: 'ignore' })
  server.on('error', () => {})
  if (server.pid === undefined) return undefined
  const Redis = require('ioredis')
  const client = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null })
  client.on('error', () => {})
  cleanups.push(() => {
    client.disconnect()
    server.kill('SIGKILL')
  })
  await client.ping()
  return client
}

/** @param {(() => void)[]} cleanups */
function openLmdb(cleanups) {
  const folder = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'rspool-bench-'))
  const db = require('lmdb').open({ path: folder, noSync: true })
  cleanups.push(() => {
    db.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  return db
}

/** Has `processes` processes raise one counter; gives their calls per second together. @param {number} processes */
async function countTogether(processes) {
  const spec = { bytes: 2 ** 20, ttl: Infinity, evict: true, maxValueBytes: 2 ** 16 }
  const { map, native } = SharedMap.create(spec, processes + 1)
  const children = Array.from({ length: processes }, (_, seat) =>
    fork(path.join(__dirname, '../children/map-counter.js'), [String(COUNTS), String(seat)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', native.fd()]
    })
  )
  await Promise.all(children.map((child) => once(child, 'message')))
  const done = children.map((child) => once(child, 'message'))
  for (const child of children) child.send('go')
  const times = (await Promise.all(done)).map(([ms]) => ms)
  const total = map.get('hits')
  return { rate: (processes * COUNTS) / (Math.max(...times) / 1000), exact: total === processes * COUNTS }
}

/**
 * @param {(what: string, value: string, meaning: string) => void} line
 * @param {(() => void)[]} cleanups
 */
async function maps(line, cleanups) {
  const texts = new SharedMap({ bytes: '64MB' })
  const objects = new SharedMap({ bytes: '64MB' })
  const ending = new SharedMap({ bytes: '64MB', ttl: 3_600_000 })
  const many = new SharedMap({ bytes: '64MB' })
  const names = Array.from({ length: 40_000 }, (_, n) => `user:${n}:profile`)
  for (const name of names) many.set(name, TEXT)
  let next = 0
  const local = new Map(KEYS.map((key) => [key, DATA]))
  const lmdb = openLmdb(cleanups)
  const redis = await startRedis(cleanups)
  for (const key of KEYS) {
    texts.set(key, TEXT)
    objects.set(key, DATA)
    ending.set(key, DATA)
    lmdb.putSync(key, TEXT)
    await redis?.set(key, TEXT)
  }
  /** @type {Record<string, () => number|Promise<number>>} */
  const cases = {
    get: () => timed(20_000, (key) => texts.get(key)),
    // More keys than a thread keeps, so each is read from the map.
    getOnce: () => timed(20_000, () => many.get(names[next++ % names.length])),
    // A map gives the value of now. lmdb gives the value that was there when the turn of the event loop began, unless its
    // read transaction is reset.
    lmdbNow: () =>
      timed(2_000, (key) => {
        lmdb.resetReadTxn()
        return lmdb.get(key)
      }),
    lmdbGet: () => timed(5_000, (key) => lmdb.get(key)),
    set: () => timed(10_000, (key) => texts.set(key, TEXT)),
    lmdbPut: () => timed(500, (key) => lmdb.putSync(key, TEXT)),
    increment: () => timed(10_000, () => texts.increment('hits')),
    near: () => timed(30_000, (key) => objects.get(key)),
    nearEnding: () => timed(30_000, (key) => ending.get(key)),
    local: () => timed(30_000, (key) => local.get(key)),
    setData: () => timed(2_000, (key) => texts.set(`data ${key}`, DATA))
  }
  if (redis !== undefined) {
    cases.redis1 = () => timedInFlight(300, 1, (key) => redis.get(key))
    cases.redis64 = () => timedInFlight(3000, 64, (key) => redis.get(key))
  }
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]))
  for (let round = -10; round < ROUNDS; round++) {
    const names = Object.keys(cases)
    for (const name of round % 2 === 0 ? names : names.reverse()) {
      const time = await cases[name]()
      if (round >= 0) times[name].push(time)
    }
  }
  const ns = (/** @type {string} */ name) => `${median(times[name]).toFixed(0)} ns`
  /** The median of the ratios of each round. @param {string} slow @param {string} quick */
  const ratio = (slow, quick) => median(times[slow].map((time, round) => time / times[quick][round])).toFixed(1)
  line(
    'SharedMap.get, a string of 100 bytes',
    ns('get'),
    `lmdb-js in /dev/shm ${ns('lmdbGet')}: ${ratio('lmdbGet', 'get')}×`
  )
  if (redis !== undefined) {
    line('the same of Redis on loopback, one at a time', ns('redis1'), `${ratio('redis1', 'get')}×`)
    line('the same of Redis, 64 in flight', ns('redis64'), `${ratio('redis64', 'get')}×`)
  }
  line('SharedMap.set, a string of 100 bytes', ns('set'), `lmdb putSync ${ns('lmdbPut')}: ${ratio('lmdbPut', 'set')}×`)
  line('SharedMap.set, an object of 5 keys', ns('setData'), 'encoded')
  line('SharedMap.increment', ns('increment'), 'one process')
  line('SharedMap.get, the same object again', ns('near'), `Map.get ${ns('local')}: ${ratio('near', 'local')}×`)
  line('the same where entries end', ns('nearEnding'), `Map.get ${ns('local')}: ${ratio('nearEnding', 'local')}×`)
  for (const processes of [2, 4]) {
    const { rate, exact } = await countTogether(processes)
    line(
      `increments a second, ${processes} processes, one counter`,
      `${(rate / 1e6).toFixed(2)} M`,
      exact ? 'exact' : 'WRONG'
    )
  }
  await longest(line)
  if (sink > 0) throw new Error('something was not there')
}

/**
 * How long calls with values of 64 KiB hold the thread, in a map that is full. A loop that takes as long but uses no map
 * is measured beside them, since the system takes the CPU from either.
 * @param {(what: string, value: string, meaning: string) => void} line
 */
async function longest(line) {
  const map = new SharedMap({ bytes: '16MB' })
  const value = 'x'.repeat(65_536)
  const spin = () => {
    for (let n = 0; n < 60_000; n++) sink += n & 0
  }
  const calls = {
    'set of 64 KiB, new keys in a full map': (/** @type {number} */ n) => map.set(`key ${n}`, value),
    'get of 64 KiB': (/** @type {number} */ n) => map.get(`key ${19_900 + (n % 50)}`),
    'a loop that uses no map': spin
  }
  for (const [what, call] of Object.entries(calls)) {
    /** @type {number[]} */
    const times = []
    for (let n = 0; n < 20_000; n++) {
      const start = performance.now()
      call(n)
      times.push((performance.now() - start) * 1000)
    }
    times.sort((a, b) => a - b)
    const at = (/** @type {number} */ share) => `${times[Math.floor((times.length - 1) * share)].toFixed(0)} µs`
    line(what, at(0.5), `p99 ${at(0.99)}, p99.9 ${at(0.999)}, longest ${at(1)}`)
  }
}

module.exports = { maps }
