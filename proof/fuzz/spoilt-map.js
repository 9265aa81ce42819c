'use strict'

// A shared map whose memory somebody has written over: every call gives something, or throws an error that says why.

const { SharedMap } = require('../../lib/shared-map')

const values = [
  'text',
  'ż'.repeat(200),
  7,
  2n ** 60n,
  { a: [1, { b: null }] },
  new Uint8Array(300),
  new Map([[1, 2]]),
  null
]
const { map, native } = SharedMap.create({ bytes: 2 ** 14, ttl: Infinity, evict: true, maxValueBytes: 4096 }, 2)
for (let n = 0; n < 40; n++) map.set(`key ${n}`, values[n % values.length], n % 7 === 0 ? { ttl: 1e6 } : undefined)
const memory = /** @type {ArrayBuffer} */ (native.words(true))
const words = new BigUint64Array(memory)
const before = words.slice()
/** What never changes lies before. */
const FIRST = 16

/** What is written where: four bytes of a place, eight of a word. @param {[number, bigint][]} writes */
function damage(writes) {
  const bytes = Buffer.alloc(writes.length * 12)
  for (const [n, [at, word]] of writes.entries()) {
    bytes.writeUInt32LE(at, n * 12)
    bytes.writeBigUInt64LE(word, n * 12 + 4)
  }
  return bytes
}

/** Words of the map in places of others, and words that can be none. */
const seeds = [1, 3, 20, 100].flatMap((count) => {
  const place = (/** @type {number} */ n) => FIRST + ((n * 7919 * count) % (words.length - FIRST))
  const all = Array.from({ length: count }, (_, n) => n)
  return [
    damage(all.map((n) => [place(n), before[place(n + 1)]])),
    damage(all.map((n) => [place(n), BigInt(n % 5)])),
    damage(all.map((n) => [place(n), 2n ** 64n - 1n - BigInt(n)]))
  ]
})

/** @param {() => unknown} call */
function attempt(call) {
  try {
    call()
  } catch (error) {
    if (!(error instanceof Error) || error.message === '') throw new Error(`threw ${String(error)}`)
  }
}

/** @param {Buffer} bytes */
function run(bytes) {
  words.set(before)
  for (let at = 0; at + 12 <= bytes.length; at += 12) {
    const place = FIRST + (bytes.readUInt32LE(at) % (words.length - FIRST))
    Atomics.store(words, place, bytes.readBigUInt64LE(at + 4))
  }
  for (let n = 0; n < 44; n += 1) {
    const key = `key ${n}`
    attempt(() => map.get(key))
    attempt(() => map.has(key))
    attempt(() => map.ttl(key))
    attempt(() => map.version(key))
    if (n % 4 === 0) attempt(() => map.set(key, values[n % values.length]))
    if (n % 5 === 0) attempt(() => map.delete(key))
    if (n % 6 === 0) attempt(() => map.increment(key))
    if (n % 7 === 0) attempt(() => map.expire(key, 1000))
    if (n % 9 === 0) attempt(() => map.update(key, (value) => value ?? 1))
    if (n % 10 === 0) attempt(() => map.compareAndSet(key, 'text', 'x'.repeat(n * 90)))
  }
  attempt(() => [...map.keys()])
  attempt(() => map.stats())
  attempt(() => native.recover(0))
  attempt(() => map.clear())
  attempt(() => map.set('last', 1))
}

module.exports = { seeds, run }
