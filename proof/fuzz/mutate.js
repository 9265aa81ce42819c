'use strict'

// A small fuzzer: what it makes is decided by a seed, so that a failure comes again.

const { randomFrom } = require('../../stress/lib/random')

/** Numbers at which lengths and signs change their meaning. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]

/**
 * Another version of some bytes.
 * @param {ReturnType<typeof randomFrom>} random
 * @param {Buffer} seed
 * @param {Buffer[]} others to take parts of
 */
function mutate(random, seed, others) {
  let bytes = Buffer.from(seed)
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(bytes.length || 1)
    switch (random.below(6)) {
      case 0:
        if (bytes.length > 0) bytes[at] = random.below(256)
        break
      case 1:
        if (bytes.length > 0) bytes[at] ^= 1 << random.below(8)
        break
      case 2:
        if (bytes.length >= at + 4) bytes.writeUInt32LE(EDGES[random.below(EDGES.length)], at)
        break
      case 3:
        bytes = bytes.subarray(0, at)
        break
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + random.below(40)), bytes.subarray(at)])
        break
      default: {
        const other = others[random.below(others.length)]
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length || 1))])
      }
    }
  }
  return bytes
}

/**
 * Another version of a value of plain data.
 * @param {ReturnType<typeof randomFrom>} random
 * @param {unknown} value
 * @returns {any}
 */
function mutateValue(random, value) {
  const other = [
    undefined,
    null,
    true,
    -1,
    2 ** 40,
    Number.NaN,
    '',
    'kind',
    'x'.repeat(300),
    [],
    {},
    [value],
    { value }
  ]
  if (value === null || typeof value !== 'object' || random.below(4) === 0) return other[random.below(other.length)]
  const entries = Object.entries(value)
  const changed = entries.filter(() => random.below(8) > 0)
  if (changed.length > 0) {
    const entry = changed[random.below(changed.length)]
    entry[1] = mutateValue(random, entry[1])
  }
  return Array.isArray(value) ? changed.map(([, each]) => each) : Object.fromEntries(changed)
}

module.exports = { mutate, mutateValue, randomFrom }
