'use strict'

const assert = require('node:assert')
const crypto = require('node:crypto')
const { Pool } = require('../..')
const { filename } = require('../children/busy')
const { randomFrom } = require('../lib/random')

const IN_FLIGHT = 1000

const fibonacci = [1, 1]
while (fibonacci.length < 78) fibonacci.push(/** @type {number} */ (fibonacci.at(-1)) + fibonacci[fibonacci.length - 2])

/** @param {number} id */
const bytesOf = (id) => new Uint8Array(8 + (id % 64)).map((_, i) => id >> (i % 24))

/**
 * The kinds of task: how each is submitted, and which outcome it must have. `id` is the number of the task. It is in every
 * input, so that a result that went to another task is noticed.
 * @type {((pool: any, id: number) => Promise<void>)[]}
 */
const kinds = [
  async (pool, id) => assert.strictEqual(await pool.run(id), id),
  async (pool, id) => assert.strictEqual(await pool.runTask('square', id), id * id),
  async (pool, id) => assert.strictEqual(await pool.run(`task ${id} ü`), `task ${id} ü`),
  async (pool, id) => assert.strictEqual(await pool.run(BigInt(id) << 40n), BigInt(id) << 40n),
  async (pool, id) => {
    const record = { id, name: `n${id}`, values: [id, -id, id / 3], flag: id % 2 === 0, at: new Date(id) }
    assert.deepStrictEqual(await pool.run(record), record)
  },
  async (pool, id) => {
    const { id: same, turns } = await pool.runTask('later', { id, turns: id % 4 })
    assert.ok(same === id && turns === id % 4)
  },
  async (pool, id) => assert.deepStrictEqual(await pool.runTask('reverse', bytesOf(id)), bytesOf(id).reverse()),
  async (pool, id) =>
    assert.strictEqual(
      await pool.runTask('math.fibonacci', 1 + (id % 77), { params: { method: 'iterative' } }),
      fibonacci[id % 77]
    ),
  async (pool, id) => {
    const digest = await pool.runTask('hash.sha256', `${id}`)
    assert.ok(digest.equals(crypto.createHash('sha256').update(`${id}`).digest()))
  },
  async (pool, id) => {
    await assert.rejects(pool.runTask('fail', id), { name: 'RangeError', message: `fails with ${id}`, id })
  },
  async (pool, id) => {
    await assert.rejects(pool.runTask('hash.sha256', id), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  },
  async (pool, id) => {
    await assert.rejects(pool.runTask('nothing', id), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
  },
  async (pool, id) => {
    const controller = new AbortController()
    const promise = pool.runTask('square', id, { signal: controller.signal })
    controller.abort(id)
    // The task may have ended before this thread learned of it.
    await promise.then(
      (/** @type {number} */ square) => assert.strictEqual(square, id * id),
      (/** @type {any} */ error) => assert.ok(error.code === 'ABORT_ERR' && error.cause === id, error)
    )
  },
  async (pool, id) => {
    const buffer = new Float64Array([id]).buffer
    const result = await pool.run(buffer, { transferList: [buffer] })
    assert.ok(buffer.byteLength === 0 && new Float64Array(result)[0] === id)
  }
]
/** How many kinds, the last ones, run less often: they go through a port, which costs ten times as much. */
const RARE = 1

module.exports = {
  title: 'Mixed tasks, each result checked',
  times: { tasks: 1_000_000 },
  limit: 900_000,

  /** @param {{ count: number, seed: number }} given */
  async run({ count, seed }) {
    const random = randomFrom(seed)
    const pool = new Pool({ filename, minThreads: 2, maxThreads: 3, concurrentTasksPerWorker: 2 })
    let made = 0
    const caller = async () => {
      while (made < count) {
        const id = made++
        const kind = random.next() < 0.02 ? kinds.length - RARE : random.below(kinds.length - RARE)
        await kinds[kind](pool, id)
      }
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, caller))
    const { queued, running } = pool.stats()
    assert.deepStrictEqual({ queued, running }, { queued: 0, running: 0 })
    await pool.close()
    return `${made.toLocaleString('en-US')} of ${kinds.length} kinds, every outcome as expected`
  }
}
