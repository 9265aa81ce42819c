'use strict'

const assert = require('node:assert')
const { Pool } = require('../..')
const { filename } = require('../children/busy')
const { randomFrom } = require('../lib/random')
const { read, backTo, sleep } = require('../lib/readings')

const IN_FLIGHT = 200

/** How a promise ended: 'ok', or the code of its error. */
const outcomeOf = (/** @type {Promise<any>} */ promise) =>
  promise.then(
    (value) => ({ end: 'ok', value }),
    (error) => ({ end: error.code ?? String(error), error })
  )

/**
 * What is done to a task, how often, and how the task may end. It may also end with `ERR_RSPOOL_POOL_CLOSED` if the pool
 * was destroyed. `check` looks at the value or the error.
 */
const faults = [
  {
    weight: 700,
    ends: ['ok'],
    start: (pool, id) => pool.runTask('square', id),
    check: ({ value }, id) => value === undefined || value === id * id
  },
  {
    weight: 200,
    ends: ['ok'],
    start: (pool, id, random) => pool.runTask('square', id, steered(random)),
    check: ({ value }, id) => value === undefined || value === id * id
  },
  {
    weight: 100,
    ends: ['ok'],
    start: (pool, id) => pool.runTask('wait', { id, ms: id % 3 }),
    check: ({ value }, id) => value === undefined || value === id
  },
  {
    weight: 100,
    ends: ['E_STRESS'],
    start: (pool, id) => pool.runTask('fail', id),
    check: ({ error }, id) => error.id === undefined || error.id === id
  },
  {
    weight: 100,
    ends: ['ok', 'ABORT_ERR'],
    start(pool, id, random) {
      const controller = new AbortController()
      const promise = pool.runTask('later', { id, turns: 3 }, { signal: controller.signal })
      if (random.next() < 0.5) controller.abort()
      else setTimeout(() => controller.abort(), random.below(5))
      return promise
    },
    check: ({ value }, id) => value === undefined || value.id === id
  },
  {
    weight: 30,
    ends: ['ERR_RSPOOL_TASK_TIMEOUT'],
    start: (pool) => pool.runTask('test.spin', undefined, { timeout: 1 }),
    check: () => true
  },
  {
    weight: 30,
    ends: ['ERR_RSPOOL_TASK_PANIC'],
    start: (pool, id) => pool.runTask('test.panic', id),
    check: ({ error }, id) => error.code !== 'ERR_RSPOOL_TASK_PANIC' || error.message.includes(String(id))
  },
  {
    weight: 30,
    ends: ['ok', 'ERR_RSPOOL_QUEUE_TIMEOUT'],
    start: (pool, id) => pool.runTask('square', id, { queueTimeout: 1 }),
    check: ({ value }, id) => value === undefined || value === id * id
  },
  {
    weight: 2,
    ends: ['ERR_RSPOOL_WORKER_EXIT'],
    start: (pool) => pool.runTask('exit', 9),
    check: ({ error }) => error.code !== 'ERR_RSPOOL_WORKER_EXIT' || error.exitCode === 9
  },
  {
    weight: 1,
    ends: ['ERR_RSPOOL_TASK_TIMEOUT'],
    start: (pool) => pool.runTask('forever', undefined, { timeout: 5 }),
    check: () => true
  },
  {
    weight: 1,
    ends: ['ABORT_ERR'],
    start(pool, _id, random) {
      const controller = new AbortController()
      setTimeout(() => controller.abort(), random.below(20))
      return pool.runTask('forever', undefined, { signal: controller.signal })
    },
    check: () => true
  }
]
/** Options with an affinity key, a group, both or neither. @param {ReturnType<typeof randomFrom>} random */
function steered(random) {
  const options = /** @type {any} */ ({ priority: random.below(3) })
  if (random.below(2) === 0) options.affinity = random.below(10)
  if (random.below(2) === 0) options.group = `group ${random.below(20)}`
  return options
}

/** Options of pools that are not the usual ones. */
const kinds = [
  {},
  { recycle: { tasks: 200 } },
  { recycle: { age: 100, heap: 50_000_000, rss: 1 } },
  { groups: { 'group 1': { maxRunning: 1 }, 'group 2': { weight: 5 } } }
]

const total = faults.reduce((sum, { weight }) => sum + weight, 0)

/** @param {ReturnType<typeof randomFrom>} random */
function choose(random) {
  let at = random.below(total)
  for (const fault of faults) if ((at -= fault.weight) < 0) return fault
  throw new Error('unreachable')
}

module.exports = {
  title: 'Tasks under random faults',
  times: { tasks: 100_000 },
  limit: 900_000,

  /** @param {{ count: number, seed: number }} given */
  async run({ count, seed }) {
    const random = randomFrom(seed)
    const usual = { filename, minThreads: 2, maxThreads: 2, abortGrace: 5 }
    const open = () => new Pool({ ...usual, ...kinds[random.below(kinds.length)] })
    let pool = open()
    // The thread for time limits serves the whole process, and stays.
    await pool.run(0, { timeout: 1e6 })
    await pool.close()
    const before = read()
    pool = open()
    let destroyed = 0
    let made = 0
    /** @type {Record<string, number>} */
    const ends = {}
    /** How often each task settled. */
    const settled = new Uint8Array(count)
    const caller = async () => {
      while (made < count) {
        const id = made++
        if (random.below(5000) === 0) {
          destroyed++
          pool.destroy()
          pool = open()
        }
        const mine = pool
        if (random.below(500) === 0) mine.resize({ minThreads: random.below(2), maxThreads: 1 + random.below(3) })
        const fault = choose(random)
        const outcome = await outcomeOf(fault.start(mine, id, random))
        settled[id]++
        ends[outcome.end] = (ends[outcome.end] ?? 0) + 1
        const expected = fault.ends.includes(outcome.end) || (outcome.end === 'ERR_RSPOOL_POOL_CLOSED' && mine.closed)
        if (!expected || !fault.check(outcome, id)) {
          throw new Error(`Task ${id}: ${fault.start} ended with ${outcome.end}`, { cause: outcome.error })
        }
      }
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, caller))
    assert.ok(settled.every((times) => times === 1))
    // A task that was given up may run on until its isolate is ended.
    const load = () => {
      const { queued, running } = pool.stats()
      return { queued, running }
    }
    for (let i = 0; i < 200 && load().running > 0; i++) await sleep(25)
    assert.deepStrictEqual(load(), { queued: 0, running: 0 })
    await pool.close()
    await backTo(before)
    const all = Object.entries(ends).sort((a, b) => b[1] - a[1])
    return `all settled once, ${destroyed} pools destroyed: ${all.map(([end, n]) => `${n} ${end}`).join(', ')}`
  }
}
