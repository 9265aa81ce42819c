'use strict'

// What is fuzzed, one function per target. Each takes what the fuzzer made, and throws where that shows a
// fault: an error that says nothing, a spin, memory without bound.

const { Frame } = require('../../lib/native/memory')
const { Mailbox } = require('../../lib/cluster/messages')
const { decode } = require('../../lib/payload/decode')
const { encode } = require('../../lib/payload/encode')
const { scratch } = require('../../lib/payload/frames')
const { RspoolError } = require('../../lib/errors')
const { Pool } = require('../../index.js')

const shared = { self: 'shared' }
const values = [
  { a: 1, b: 'text', c: [1, 2.5, -3], d: null },
  [1, 2, 3, 4, 5, 6, 7, 8],
  [0.5, 1.5, 2.5],
  Array.from({ length: 100 }, (_, id) => ({ id, name: `row ${id}`, price: id / 3 })),
  Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`key ${n}`, n])),
  new Map([
    ['one', 1],
    ['two', { three: 3 }]
  ]),
  new Set([1, 'two', 3n]),
  { shared, again: shared, list: [shared] },
  { date: new Date(5), pattern: /a+b/gi, big: -(12n ** 20n) },
  { bytes: new Uint8Array([1, 2, 3]), floats: new Float64Array([1.5]), buffer: new ArrayBuffer(9) },
  new TypeError('wrong', { cause: { why: new Error() } }),
  Array.from({ length: 300 }).reduce((inner, _, n) => (n % 2 ? { inner } : [inner, n]), new Date(3)),
  { text: 'żółć', long: 'long '.repeat(200) },
  // biome-ignore lint/suspicious/noSparseArray: holes are what is tested
  [1, , 3]
]

/** @param {unknown} value */
function encoded(value) {
  const bytes = encode(value)
  return Buffer.from(typeof bytes === 'number' ? scratch.bytes.subarray(0, bytes) : bytes)
}

/** @type {Pool | undefined} */
let pool
const tasks = ['hash.sha256', 'compress.gzip', 'decompress.gzip', 'array.sort', 'array.sum', 'math.countPrimes']

/** @type {Record<string, { seeds: any[], isBytes: boolean, run: (input: any) => unknown, end?: () => unknown }>} */
const targets = {
  payload: {
    isBytes: true,
    seeds: values.map(encoded),
    run(bytes) {
      // As it lies in a drain or a blob: at the start of memory, which ends soon after it.
      const memory = new ArrayBuffer((bytes.length + 15) & ~7)
      new Uint8Array(memory).set(bytes)
      try {
        decode(new Frame(memory), 0)
      } catch (error) {
        if (!(error instanceof Error)) throw new Error(`threw ${String(error)}`)
        if (error.message === '') throw new Error('threw an error that says nothing')
      }
    }
  },
  messages: {
    isBytes: false,
    seeds: [
      { kind: 'plain', id: 1, body: 'text' },
      { kind: 'request', id: 2, body: { a: [1] } },
      { kind: 'answer', id: 1, body: 5 },
      { kind: 'refusal', id: 1, error: { name: 'RangeError', message: 'no', stack: 'RangeError: no\n  at x' } }
    ],
    async run(made) {
      // Only what bears the package's mark gets so far, and that is an object.
      const message = Object(made)
      const box = new Mailbox(async () => {})
      box.onMessage(() => {})
      box.onRequest((body) => body)
      const answer = box.request('question', { timeout: 1000 }).catch(() => {})
      box.receive(message)
      await null
      box.close()
      await answer
    }
  },
  params: {
    isBytes: false,
    seeds: tasks.map((task) => ({
      task,
      input: [3, 1, 2],
      params: { encoding: 'hex', level: 3, order: 'descending', seed: 7, algorithm: 'sha256' }
    })),
    async run(made) {
      const { task, input, params } = made ?? {}
      pool ??= new Pool({ maxThreads: 1 })
      const name = tasks.includes(task) ? task : tasks[0]
      try {
        await pool.runTask(name, name.startsWith('array') ? Float64Array.from([3, 1, 2]) : input, {
          params,
          timeout: 2000
        })
      } catch (error) {
        if (error instanceof RspoolError || error?.name === 'DataCloneError') {
          if (error.code === 'ERR_RSPOOL_TASK_PANIC' || error.code === 'ERR_RSPOOL_INTERNAL') throw error
          return
        }
        throw error
      }
    },
    end: () => pool?.close()
  },
  map: {
    isBytes: true,
    get seeds() {
      return require('./spoilt-map').seeds
    },
    run: (bytes) => require('./spoilt-map').run(bytes)
  }
}

module.exports = { targets }
