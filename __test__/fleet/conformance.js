'use strict'

// What holds of a fleet whatever its engine is. Each engine's spec calls this with what opens a fleet over it.

const { randomUUID } = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { setTimeout: limit } = require('node:timers/promises')

const FILENAME = path.join(__dirname, 'tasks.js')
const TASKS = Object.keys(require('./tasks'))

/**
 * @typedef {object} Opened
 * @property {InstanceType<typeof import('../../lib/fleet').Fleet>} fleet
 * @property {import('../../lib/fleet/work').Work} work
 */

/** A path of its own for what a task writes down. */
function logFile() {
  return path.join(os.tmpdir(), `rspool-fleet-${randomUUID()}`)
}

/**
 * @param {import('ava').TestFn} test
 * @param {(options?: object) => Promise<InstanceType<typeof import('../../lib/fleet').Fleet>>} open
 */
function conform(test, open) {
  /**
   * @param {string} title
   * @param {(t: import('ava').ExecutionContext, opened: Opened) => Promise<void>} body
   * @param {{ fleet?: object, work?: object }} [options]
   */
  const withFleet = (title, body, options = {}) =>
    test.serial(title, async (t) => {
      const fleet = await open(options.fleet)
      const work = fleet.work({
        pool: { filename: FILENAME, maxThreads: 2, abortGrace: 100 },
        tasks: TASKS,
        ...options.work
      })
      await work.ready
      try {
        await body(t, { fleet, work })
      } finally {
        await fleet.close()
      }
    })

  withFleet('a task gives its caller what its function returns', async (t, { fleet }) => {
    t.is(await fleet.runTask('add', { a: 1, b: 2 }), 3)
  })

  withFleet('a value arrives as structuredClone would give it, both ways', async (t, { fleet }) => {
    const value = { map: new Map([[1, new Set(['a'])]]), date: new Date(5), big: 10n ** 30n, zero: -0, none: undefined }
    const cycle = { value, self: /** @type {unknown} */ (null), bytes: new Uint8Array([1, 2, 3]), text: /a\/b/gi }
    cycle.self = cycle
    t.deepEqual(await fleet.runTask('echo', cycle), structuredClone(cycle))
  })

  withFleet('large values cross by reference', async (t, { fleet }) => {
    const bytes = new Uint8Array(3_000_000).fill(9)
    t.is(await fleet.runTask('length', bytes), 3_000_000)
    const back = await fleet.runTask('bytes', 2_500_000)
    t.true(back instanceof Uint8Array && back.length === 2_500_000 && back.every((byte) => byte === 7))
  })

  withFleet('an input is taken as it was when the call was made', async (t, { fleet }) => {
    const input = { list: [1] }
    const result = fleet.runTask('echo', input)
    input.list.push(2)
    t.deepEqual(await result, { list: [1] })
  })

  withFleet('an error arrives whole: class, name, code, own properties and cause', async (t, { fleet }) => {
    const error = await t.throwsAsync(() => fleet.runTask('fail'))
    t.true(error instanceof SyntaxError)
    const { name, message, code, line, cause } = /** @type {any} */ (error)
    t.deepEqual([name, message, code, line], ['ParseError', 'bad line', 'E_PARSE', 7])
    t.true(cause instanceof RangeError && cause.message === 'inner')
    t.regex(String(error.stack), /tasks\.js/)
    const both = /** @type {any} */ (await t.throwsAsync(() => fleet.runTask('throwsMany')))
    t.true(both instanceof AggregateError)
    t.deepEqual([both.errors[0].message, both.errors[1]], ['one', 'two'])
  })

  withFleet(
    'a task that no worker takes is refused, and the ones that are taken are named',
    async (t, { fleet }) => {
      const error = await t.throwsAsync(() => fleet.runTask('nope'), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
      t.regex(error.message, /'echo'/)
    },
    { work: { skewGrace: 0 } }
  )

  withFleet(
    'a name that every object has is no task',
    async (t, { fleet }) => {
      for (const name of ['__proto__', 'constructor', 'toString', 'then', 'hasOwnProperty'])
        await t.throwsAsync(() => fleet.runTask(name), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
    },
    { work: { skewGrace: 0 } }
  )

  withFleet('what cannot cross machines is refused before anything is sent', async (t, { fleet }) => {
    for (const value of [() => 1, Symbol('s'), new SharedArrayBuffer(8), new WeakMap(), { deep: [Promise.resolve()] }])
      await t.throwsAsync(() => fleet.runTask('echo', value), { name: 'DataCloneError', any: true })
    for (const option of ['filename', 'transferList', 'counters', 'nonsense'])
      await t.throwsAsync(() => fleet.runTask('echo', 1, { [option]: 1 }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
    await t.throwsAsync(() => fleet.runTask(/** @type {never} */ (() => 1)), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  })

  withFleet('a task that runs too long is ended where it runs', async (t, { fleet }) => {
    await t.throwsAsync(() => fleet.runTask('spin', 0, { timeout: 100 }), { code: 'ERR_RSPOOL_TASK_TIMEOUT' })
    t.is(await fleet.runTask('add', { a: 2, b: 2 }), 4)
  })

  withFleet('the signal of a caller ends its task on the worker, an endless loop too', async (t, { fleet, work }) => {
    const controller = new AbortController()
    const log = logFile()
    const looking = fleet.runTask('polite', { log }, { signal: controller.signal })
    const spinning = fleet.runTask('spin', 0, { signal: controller.signal })
    await written(log, /start/)
    controller.abort(new Error('enough'))
    for (const task of [looking, spinning]) {
      const error = await t.throwsAsync(() => task, { code: 'ABORT_ERR' })
      t.is(/** @type {Error} */ (error.cause).message, 'enough')
    }
    await written(log, /aborted/)
    await until(async () => (await work.stats()).running === 0)
    t.pass()
  })

  withFleet('a task that waits longer than its queueTimeout never begins', async (t, { fleet }) => {
    const busy = [1, 2].map(() => fleet.runTask('block', 1500))
    await until(async () => (await fleet.stats()).running === 2)
    const log = logFile()
    await t.throwsAsync(() => fleet.runTask('hold', { ms: 1, log }, { queueTimeout: 50 }), {
      code: 'ERR_RSPOOL_QUEUE_TIMEOUT'
    })
    await Promise.all(busy)
    t.is(await fleet.runTask('add', { a: 0, b: 1 }), 1)
    t.false(fs.existsSync(log))
  })

  withFleet('progress comes in order, its last value too, and before the result', async (t, { fleet }) => {
    /** @type {number[]} */
    const seen = []
    t.is(await fleet.runTask('progress', 50, { onProgress: (/** @type {any} */ { i }) => seen.push(i) }), 50)
    t.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b)
    )
    t.is(seen.at(-1), 50)
  })

  withFleet('a task that is sent is known by its id, from any caller', async (t, { fleet }) => {
    const id = await fleet.send('add', { a: 20, b: 22 })
    t.is(await fleet.result(id), 42)
    t.is(await fleet.result(id), 42)
    const failing = await fleet.send('fail')
    await t.throwsAsync(() => fleet.result(failing), { message: 'bad line' })
    await t.throwsAsync(() => fleet.result('no-such-id'), { code: 'ERR_RSPOOL_LOST' })
  })

  withFleet('a script is told the id of its task, and which start of it this is', async (t, { fleet }) => {
    const id = await fleet.send('start')
    t.deepEqual(await fleet.result(id), { id, start: 1 })
  })

  withFleet('a task that has not ended at its deadline is ended', async (t, { fleet }) => {
    const deadline = Date.now() + 150
    await t.throwsAsync(() => fleet.runTask('spin', 0, { deadline }), { code: 'ERR_RSPOOL_DEADLINE' })
  })

  withFleet('a task whose caller is there runs to its end, also where it would end with it', async (t, { fleet }) => {
    t.is(await fleet.runTask('block', 1500, { orphanTimeout: 1000 }), 1500)
  })

  withFleet(
    'large values go into the store that the user gives',
    async (t, { fleet }) => {
      const { folder } = require('./store')
      const bytes = new Uint8Array(100_000).fill(3)
      t.deepEqual(await fleet.runTask('echo', bytes), bytes)
      // The input stays; the result is deleted when it has been read.
      await until(async () => fs.readdirSync(folder).length === 1)
      fs.rmSync(folder, { recursive: true })
    },
    { fleet: { store: path.join(__dirname, 'store.js') } }
  )

  withFleet('two sends with one key are one task', async (t, { fleet }) => {
    const log = logFile()
    const [one, two] = [
      await fleet.send('flaky', { log, times: 0 }, { key: log }),
      await fleet.send('flaky', { log, times: 0 }, { key: log })
    ]
    t.is(one, two)
    t.is(await fleet.result(one), 1)
    t.is(fs.readFileSync(log, 'utf8'), 'x')
  })

  withFleet('a task that throws is tried again as often as attempts say', async (t, { fleet }) => {
    const log = logFile()
    t.is(await fleet.runTask('flaky', { log, times: 2 }, { attempts: 3, backoff: 10 }), 3)
    await t.throwsAsync(() => fleet.runTask('flaky', { log: logFile(), times: 2 }, { attempts: 2 }), {
      message: 'try 2'
    })
  })

  withFleet('a task that waits is cancelled, and one with a delay begins later', async (t, { fleet }) => {
    const log = logFile()
    const id = await fleet.send('hold', { ms: 1, log }, { delay: 600_000 })
    t.true(await fleet.cancel(id))
    t.false(fs.existsSync(log))
    const later = await fleet.send('add', { a: 1, b: 1 }, { delay: 20 })
    t.is(await fleet.result(later), 2)
  })

  withFleet('a map gives what the task gives for each input, in order', async (t, { fleet }) => {
    const results = []
    const inputs = Array.from({ length: 500 }, (_, i) => ({ a: i, b: 1 }))
    for await (const result of fleet.map(inputs, 'add')) results.push(result)
    t.deepEqual(
      results,
      inputs.map(({ a }) => a + 1)
    )
    const failing = async () => {
      for await (const _ of fleet.map([1], 'fail'));
    }
    await t.throwsAsync(failing, { message: 'bad line' })
  })

  withFleet('a schedule runs its task again and again until it is taken away', async (t, { fleet }) => {
    const log = logFile()
    await fleet.schedule('often', { every: 50 }, 'flaky', { log, times: 0 })
    await written(log, /xx/)
    t.true(await fleet.unschedule('often'))
    t.false(await fleet.unschedule('often'))
  })

  withFleet(
    'a task that is not signed with the secret is refused',
    async (t, { fleet }) => {
      t.is(await fleet.runTask('add', { a: 1, b: 1 }), 2)
    },
    { fleet: { secret: 'hush' } }
  )

  test.serial('a full queue refuses calls', async (t) => {
    const fleet = await open({ maxQueue: 2 })
    const ids = [await fleet.send('add', 1), await fleet.send('add', 2)]
    t.is(ids.length, 2)
    await t.throwsAsync(() => fleet.send('add', 3), { code: 'ERR_RSPOOL_QUEUE_FULL' })
    await fleet.close()
  })

  test.serial('calls that wait are rejected when their fleet is closed, and later ones are refused', async (t) => {
    const fleet = await open()
    const waiting = fleet.runTask('add', { a: 1, b: 1 })
    const settled = t.throwsAsync(() => waiting, { code: 'ERR_RSPOOL_POOL_CLOSED' })
    await until(async () => (await fleet.stats()).pending === 1)
    await fleet.close()
    await settled
    await t.throwsAsync(() => fleet.runTask('add', 1), { code: 'ERR_RSPOOL_POOL_CLOSED' })
  })

  test.serial(
    'a worker that is closed finishes what it has, and gives back what is not done in its grace',
    async (t) => {
      const fleet = await open()
      const options = { pool: { filename: FILENAME, maxThreads: 1, abortGrace: 50 }, tasks: TASKS }
      const first = fleet.work(options)
      await first.ready
      const log = logFile()
      const long = fleet.runTask('polite', { log })
      await written(log, /start/)
      await first.close({ grace: 20 })
      t.regex(fs.readFileSync(log, 'utf8'), /aborted/)
      const second = fleet.work(options)
      await second.ready
      await written(log, /start\n(.*\n)*start/)
      await fleet.close()
      await t.throwsAsync(() => long, { code: 'ERR_RSPOOL_POOL_CLOSED' })
    }
  )
}

/** Resolves when the file has it. @param {string} file @param {RegExp} what */
async function written(file, what) {
  await until(async () => fs.existsSync(file) && what.test(fs.readFileSync(file, 'utf8')))
}

/** Resolves when it holds: it looks again whenever the loop has turned. @param {() => Promise<boolean>} holds */
async function until(holds) {
  while (!(await holds())) await limit(10)
}

module.exports = { conform, logFile, written, until, FILENAME, TASKS }
