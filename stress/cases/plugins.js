'use strict'

const assert = require('node:assert')
const crypto = require('node:crypto')
const { AtomicCounters, Pool, lend, loadTasks, move } = require('../..')
const { buildPlugin } = require('../../__test__/build-plugin')
const { filename } = require('../children/busy')
const { randomFrom } = require('../lib/random')
const { backTo, read } = require('../lib/readings')

const IN_FLIGHT = 300
/** How many tasks are between two pools that are closed, or destroyed, and followed by a new one. */
const POOL_LIFE = 4000

/** Tasks of the plugin that keeps no rule, which give what is no result. */
const GARBAGE = [
  'nothing',
  'noStatus',
  'noTag',
  'noText',
  'noMemory',
  'noItems',
  'noFields',
  'noWords',
  'tooLong',
  'notAligned',
  'noKind',
  'noWhole',
  'noMessage',
  'noCode',
  'noPanic',
  'noName',
  'tooDeep'
].map((name) => `hostile.${name}`)

/**
 * A pool, and what its plugin's states have given.
 * @typedef {{ pool: any, start: number, ofAll: Set<number>, ofWorkers: number[] }} Home
 */

/** @param {number} id @param {number} length */
const bytesOf = (id, length) => new Uint8Array(length).fill(id)

/**
 * The kinds of task, each with the outcome that it must have. `id` is in every input, so that a result that went to
 * another task is noticed.
 * @type {((home: Home, id: number, random: ReturnType<typeof randomFrom>) => Promise<void>)[]}
 */
const kinds = [
  async ({ pool }, id) => assert.strictEqual(await pool.runTask('square', id), id * id),
  async ({ pool }, id) => {
    const digest = await pool.runTask('hash.sha256', `${id}`)
    assert.ok(digest.equals(crypto.createHash('sha256').update(`${id}`).digest()))
  },
  async ({ pool }, id) => assert.strictEqual(await pool.runTask('sample.add', [id, 1]), id + 1),
  async ({ pool }, id) => assert.strictEqual(await pool.runTask('sample.upper', `ü${id}`), `Ü${id}`),
  async ({ pool }, id) => {
    const doubled = await pool.runTask('sample.double', new Float64Array(1 + (id % 100)).fill(id))
    assert.deepStrictEqual(doubled, new Float64Array(1 + (id % 100)).fill(2 * id))
  },
  async ({ pool }, id) => {
    const input = { keys: new Uint32Array([id, 3, id]), values: new Float64Array([1, 2, 3]) }
    const { keys, sums, name } = await pool.runTask('sample.sums', input)
    const expected =
      id < 3
        ? [
            [id, 3],
            [4, 2]
          ]
        : id === 3
          ? [[3], [6]]
          : [
              [3, id],
              [2, 4]
            ] // prettier-ignore
    assert.deepStrictEqual([[...keys], [...sums], name], [...expected, 'sums'])
  },
  async ({ pool }, id, random) => {
    // Read in place, so a result must not be another's memory, and the memory must stay as long as it is read.
    const bytes = bytesOf(id, 20_000 + random.below(20_000))
    const length = bytes.length
    const input = id % 2 === 0 ? lend(bytes) : move(bytes)
    const given = await pool.runTask('sample.echo', input)
    assert.ok(given.length === length && given.every((byte) => byte === (id & 255)))
  },
  async ({ pool }, id) => {
    const ones = new Float64Array(10_000 + (id % 1000)).fill(1)
    assert.strictEqual(await pool.runTask('sample.sum', lend(ones)), ones.length)
  },
  async ({ pool }, id) => {
    const given = await pool.runTask('sample.zeros', id % 50_000)
    assert.ok(given.length === id % 50_000 && given.every((byte) => byte === 0))
  },
  async ({ pool }, id) => {
    const told = []
    const onProgress = (/** @type {number} */ part) => void told.push(part)
    assert.strictEqual(await pool.runTask('sample.steps', 1 + (id % 9), { onProgress }), 1 + (id % 9))
    assert.strictEqual(told.at(-1), 1)
  },
  async ({ pool, start, ofWorkers }) => {
    const number = await pool.runTask('sample.next')
    assert.ok(number > start)
    ofWorkers.push(number)
  },
  async ({ pool, ofAll }) => {
    const number = await pool.runTask('sample.nextOfAll')
    assert.ok(!ofAll.has(number), `${number} twice`)
    ofAll.add(number)
  },
  async ({ pool }, id) => {
    await assert.rejects(pool.runTask('sample.panics', `number ${id}`), (error) => {
      const { code, message } = /** @type {any} */ (error)
      return code === 'ERR_RSPOOL_TASK_PANIC' && message.includes(`number ${id} (`)
    })
  },
  async ({ pool }) => {
    await assert.rejects(pool.runTask('sample.panicsInAChunk'), { code: 'ERR_RSPOOL_TASK_PANIC' })
  },
  async ({ pool }, id) => {
    await assert.rejects(pool.runTask('sample.fail', `${id}`), { code: 'ERR_SAMPLE', message: `sample.fail: ${id}` })
  },
  async ({ pool }, id) => {
    const task = GARBAGE[id % GARBAGE.length]
    await assert.rejects(pool.runTask(task, id), { code: 'ERR_RSPOOL_TASK_FAILED' }, task)
  },
  async ({ pool }) => {
    await assert.rejects(pool.runTask('hostile.noCancel'), { code: 'ABORT_ERR' })
  },
  async ({ pool }, id) => {
    // Asks the host for what makes no sense, and gives its input.
    const input = { keys: bytesOf(id, 3), name: `${id}` }
    assert.deepStrictEqual(await pool.runTask('hostile.asks', input), input)
  },
  async ({ pool }, id) => {
    const task = id % 2 === 0 ? 'sample.spin' : 'hostile.spins'
    await assert.rejects(pool.runTask(task, undefined, { timeout: 1 }), { code: 'ERR_RSPOOL_TASK_TIMEOUT' })
  },
  async ({ pool }, id) => {
    const controller = new AbortController()
    const counters = new AtomicCounters(['rows'])
    const spins = pool.runTask('sample.spin', undefined, { signal: controller.signal, counters })
    if (id % 2 === 0) while (counters.get('rows') === 0) await new Promise(setImmediate)
    controller.abort()
    await assert.rejects(spins, { code: 'ABORT_ERR' })
  }
]
/** How many kinds, the last ones, run less often: they hold a worker for about a millisecond. */
const RARE = 2

module.exports = {
  title: 'Tasks of plugins that behave, panic, have states and give garbage, beside others',
  times: { tasks: 100_000 },
  limit: 900_000,

  /** @param {{ count: number, seed: number }} given */
  async run({ count, seed }) {
    const random = randomFrom(seed)
    const sample = buildPlugin('sample')
    await loadTasks(sample)
    await loadTasks(buildPlugin('hostile'))

    /** @returns {Home} */
    function open() {
      const start = random.below(1000)
      const plugins = [{ path: sample, config: { start } }]
      return {
        pool: new Pool({ filename, minThreads: 1, maxThreads: 3, plugins }),
        start,
        ofAll: new Set(),
        ofWorkers: []
      }
    }

    /** Ends a pool whose tasks have all settled. @param {Home} home */
    async function leave({ pool, start, ofAll, ofWorkers }) {
      await (random.below(2) === 0 ? pool.close() : pool.destroy())
      // The state of all workers has counted each call once, and so has each worker's.
      assert.deepStrictEqual(
        [...ofAll].sort((a, b) => a - b),
        Array.from(ofAll, (_, i) => i + 1)
      )
      for (const number of ofWorkers) assert.ok(number === start + 1 || ofWorkers.includes(number - 1), `${number}`)
    }

    const reader = new Pool({ minThreads: 1, maxThreads: 1 })
    const states = () => reader.runTask('sample.states')
    const before = await states()
    // The thread for time limits serves the whole process, and stays.
    await reader.runTask('math.countPrimes', 10, { timeout: 1e6 })
    const readings = read()
    let made = 0
    let pools = 0
    while (made < count) {
      const home = open()
      const end = Math.min(count, made + POOL_LIFE)
      const caller = async () => {
        while (made < end) {
          const id = made++
          const kind = random.next() < 0.02 ? kinds.length - 1 - random.below(RARE) : random.below(kinds.length - RARE)
          await kinds[kind](home, id, random)
        }
      }
      await Promise.all(Array.from({ length: IN_FLIGHT }, caller))
      const { queued, running } = home.pool.stats()
      assert.deepStrictEqual({ queued, running }, { queued: 0, running: 0 })
      await leave(home)
      pools++
    }
    await backTo(readings)
    assert.strictEqual(await states(), before)
    await reader.close()
    return `${made.toLocaleString('en-US')} of ${kinds.length} kinds in ${pools} pools, every outcome as expected, no state is left`
  }
}
