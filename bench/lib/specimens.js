'use strict'

// The values of the case `values`, which are sent there and back, and the share of piscina's time that each may take.

/** Plain data up to some 16 kB. */
const SMALL = 0.6
/** A megabyte of bytes, by copy and by transfer. */
const COPY = 0.7
const TRANSFER = 0.9
/** Everything else. */
const ANY = 1

/** @param {number} count @param {(i: number) => unknown} make */
const list = (count, make) => Array.from({ length: count }, (_, i) => make(i))
/** @param {number} i */
const row = (i) => ({
  id: i,
  name: `customer ${i}`,
  email: `customer.${i}@example.com`,
  active: i % 3 === 0,
  score: i / 7,
  created: 1_700_000_000_000 + i,
  tags: ['new', 'paying'],
  address: { street: `Main Street ${i}`, city: 'Springfield', zip: 10_000 + i }
})
/** @param {number} count */
const wide = (count) => Object.fromEntries(list(count, (i) => [`key${i}`, i]))
/** @param {number} depth */
function deep(depth) {
  let value = /** @type {unknown} */ ('bottom')
  for (let i = 0; i < depth; i++) value = { level: i, inner: value }
  return value
}
function sparse() {
  const array = /** @type {unknown[]} */ ([])
  array[5] = 'five'
  array[1000] = 'thousand'
  return array
}

class Point {
  /** @param {number} x @param {number} y */
  constructor(x, y) {
    this.x = x
    this.y = y
  }
}

/** @type {{ name: string, value: any, limit: number, moved?: boolean }[]} */
const specimens = [
  { name: 'undefined', value: undefined, limit: SMALL },
  { name: 'null', value: null, limit: SMALL },
  { name: 'boolean', value: true, limit: SMALL },
  { name: 'number', value: 42.5, limit: SMALL },
  { name: 'BigInt', value: 2n ** 80n, limit: SMALL },
  { name: 'string, 20', value: 'twenty characters ok', limit: SMALL },
  { name: 'string, 20, two-byte', value: 'zwanzig Zeichen — ja', limit: SMALL },
  { name: 'string, 16 kB', value: 'sixteen kilobyte '.repeat(964).slice(0, 16_384), limit: SMALL },
  { name: 'string, 1 MB', value: 'a megabyte of it'.repeat(65_536), limit: ANY },
  { name: 'string, 1 MB, two-byte', value: 'ein Megabyte — ja'.repeat(32_768).slice(0, 524_288), limit: ANY },
  { name: 'Date', value: new Date(1_700_000_000_000), limit: SMALL },
  { name: 'RegExp', value: /^(\w+)\s+(\d+)$/giu, limit: ANY },
  { name: 'Error', value: new TypeError('not what was asked for', { cause: 'the case' }), limit: ANY },
  { name: 'row object', value: row(1), limit: SMALL },
  { name: '100 rows', value: list(100, row), limit: SMALL },
  { name: '10,000 rows', value: list(10_000, row), limit: ANY },
  { name: 'object, 100 keys', value: wide(100), limit: SMALL },
  { name: 'object, 1000 keys', value: wide(1000), limit: ANY },
  { name: 'nesting, 20 deep', value: deep(20), limit: SMALL },
  { name: 'nesting, 100 deep', value: deep(100), limit: ANY },
  { name: 'nesting, 1000 deep', value: deep(1000), limit: ANY },
  { name: 'class instance', value: new Point(1, 2), limit: ANY },
  { name: '100 class instances', value: list(100, (i) => new Point(i, i / 2)), limit: ANY },
  { name: 'array, 100 integers', value: list(100, (i) => i), limit: SMALL },
  { name: 'array, 1000 doubles', value: list(1000, (i) => i / 3), limit: SMALL },
  { name: 'array, 100,000 doubles', value: list(100_000, (i) => i / 3), limit: ANY },
  { name: 'array, 100,000 integers', value: list(100_000, (i) => i), limit: ANY },
  { name: 'array, 1000 strings', value: list(1000, (i) => `string ${i}`), limit: SMALL },
  { name: 'array, sparse', value: sparse(), limit: ANY },
  {
    name: 'Map of 1000',
    value: new Map(list(1000, (i) => /** @type {[unknown, unknown]} */ ([`key${i}`, i]))),
    limit: ANY
  },
  { name: 'Set of 1000', value: new Set(list(1000, (i) => i)), limit: ANY },
  { name: 'Uint8Array, 1 kB', value: new Uint8Array(1024).fill(7), limit: SMALL },
  { name: 'Float64Array, 16 kB', value: new Float64Array(2048).fill(0.5), limit: SMALL },
  { name: 'Uint8Array, 100 kB', value: new Uint8Array(100_000).fill(7), limit: ANY },
  { name: 'buffer, 1 MB, by copy', value: new Uint8Array(2 ** 20).fill(7), limit: COPY },
  { name: 'buffer, 1 MB, by transfer', value: new Uint8Array(2 ** 20).fill(7), limit: TRANSFER, moved: true },
  { name: 'buffer, 16 MB, by copy', value: new Uint8Array(2 ** 24).fill(7), limit: ANY },
  { name: '50 buffers, 1 kB', value: list(50, () => new Uint8Array(1024).fill(7)), limit: ANY },
  { name: 'SharedArrayBuffer', value: new Int32Array(new SharedArrayBuffer(1024)), limit: ANY },
  { name: 'object with a SharedArrayBuffer', value: { cells: new SharedArrayBuffer(64), row: row(1) }, limit: ANY }
]

module.exports = { specimens }
