'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const test = require('ava')
const rspool = require('..')
const { program } = require('./helpers')
const { sample } = require('./sample')

const { AtomicCounters, Pool, loadTasks, runTask, tasks } = rspool

test.before(async () => {
  await loadTasks(sample, { config: { start: 10 } })
})

/** A file that is removed after the test. */
function scratch(t, name) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-plugin-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }))
  return path.join(folder, name)
}

test('a plugin says what it is', async (t) => {
  const { name, file, version, profile, tasks } = await loadTasks(sample)
  t.deepEqual([name, file, profile], ['sample', fs.realpathSync(sample), 'debug'])
  t.regex(version, /^\d+\.\d+\.\d+$/)
  t.deepEqual(tasks[0], {
    name: 'sample.add',
    doc: 'Adds two numbers.',
    input: 'readonly [number, number]',
    params: 'NoParams',
    result: 'number',
    chunk: null
  })
})

test('its tasks are called as any native task', async (t) => {
  t.is(await runTask('sample.add', [1, 2]), 3)
  t.is(await tasks.sample.upper('grüße', { params: { skip: 1 } }), 'gRÜSSE')
  t.is(await tasks.sample.upper(Buffer.from('abc')), 'ABC')
  t.is(rspool.runTaskSync('sample.add', [2, 2]), 4)
  const pool = new Pool()
  const mapped = []
  for await (const sum of pool.map(
    [
      [1, 1],
      [2, 2]
    ],
    'sample.add'
  ))
    mapped.push(sum)
  t.deepEqual(mapped, [2, 4])
  await pool.close()
})

test('typed arrays, records of them and several inputs go in and come out', async (t) => {
  t.deepEqual(await tasks.sample.double(new Float64Array([1, -2.5])), new Float64Array([2, -5]))
  const input = { keys: new Uint32Array([7, 3, 7]), values: new Float64Array([1, 2, 3]) }
  const counters = new AtomicCounters(['rows'])
  t.deepEqual(await tasks.sample.sums(input, { counters }), {
    keys: new Uint32Array([3, 7]),
    sums: new Float64Array([2, 4]),
    name: 'sums'
  })
  t.is(counters.get('rows'), 3)
  t.deepEqual(input.keys, new Uint32Array([7, 3, 7]))
})

test('values come back as they went, whatever is in them', async (t) => {
  const shared = new SharedArrayBuffer(4)
  for (const value of [
    undefined,
    null,
    true,
    -0,
    2.5,
    'grüße',
    -(2n ** 70n),
    Buffer.from('abc'),
    new Int16Array([1, -1]),
    [],
    {},
    { a: [1, 'x', null, { b: false }] },
    { bytes: Buffer.from([1, 2]), list: [new Float32Array([0.5]), undefined, -0, Number.NaN, 5n, 'ü'] },
    [new BigInt64Array([-1n]), new Uint8Array(0)]
  ])
    t.deepEqual(await tasks.sample.echo(value), value)
  t.deepEqual(await tasks.sample.echo({ shared: new Uint8Array(shared) }), { shared: new Uint8Array(4) })
  t.deepEqual(await tasks.sample.echo({ view: new DataView(new ArrayBuffer(2)) }), { view: Buffer.alloc(2) })
})

test('a value with bytes that no task can take is refused', async (t) => {
  const bytes = new Uint8Array(1)
  await t.throwsAsync(tasks.sample.echo({ bytes, call: () => {} }), { any: true, name: 'DataCloneError' })
  let deep = { bytes }
  for (let i = 0; i < 1000; i++) deep = { deep }
  await t.throwsAsync(tasks.sample.echo(deep), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
})

test('large results and inputs come whole', async (t) => {
  const zeros = await tasks.sample.zeros(3e6)
  t.is(zeros.length, 3e6)
  t.true(zeros.every((byte) => byte === 0))
  t.is(await tasks.sample.sum(new Float64Array(1e6).fill(1)), 1e6)
  t.is(await runTask('sample.sum', new Float64Array(1e6).fill(1), { parallel: false }), 1e6)
})

test('failures have their codes, and name the task', async (t) => {
  await t.throwsAsync(tasks.sample.fail('why'), { code: 'ERR_SAMPLE', message: 'sample.fail: why' })
  await t.throwsAsync(tasks.sample.upper('', { params: { skp: 1 } }), {
    instanceOf: TypeError,
    message: /params\.skp is unknown, did you mean skip\?/
  })
  await t.throwsAsync(tasks.sample.add('x'), { message: /input must be an array of 2 values, got the string 'x'/ })
  await t.throwsAsync(runTask('sample.ad'), {
    code: 'ERR_RSPOOL_UNKNOWN_TASK',
    message: /Did you mean 'sample\.add'\?/
  })
})

test('progress comes to the caller, in order, before the end', async (t) => {
  const heard = []
  t.is(await tasks.sample.steps(1000, { onProgress: (value) => heard.push(value) }), 1000)
  t.true(heard.length > 0)
  t.is(heard.at(-1), 1)
  t.deepEqual(heard, heard.toSorted?.((a, b) => a - b) ?? heard)
  t.is(await tasks.sample.steps(10), 10)
  t.throws(() => rspool.runTaskSync('sample.steps', 1, { onProgress: () => {} }), {
    code: 'ERR_RSPOOL_INVALID_ARGUMENT'
  })
})

test('a task that is given up ends, and the worker takes the next one', async (t) => {
  const pool = new Pool({ maxThreads: 1 })
  await t.throwsAsync(pool.runTask('sample.spin', undefined, { timeout: 20 }), { code: 'ERR_RSPOOL_TASK_TIMEOUT' })
  const controller = new AbortController()
  const counters = new AtomicCounters(['rows'])
  const aborted = pool.runTask('sample.spin', undefined, { signal: controller.signal, counters })
  while (counters.get('rows') === 0) await new Promise(setImmediate)
  controller.abort()
  await t.throwsAsync(aborted, { code: 'ABORT_ERR' })
  t.is(await pool.runTask('sample.add', [1, 1]), 2)
  t.is(pool.stats().workers.length, 1)
  await pool.close()
})

test('a task that does not look whether it is to end keeps nobody else from it', async (t) => {
  const pool = new Pool({ maxThreads: 2 })
  const counters = new AtomicCounters(['rows'])
  const controller = new AbortController()
  const stubborn = pool.runTask('sample.stubborn', undefined, { signal: controller.signal, counters })
  while (counters.get('rows') === 0) await new Promise(setImmediate)
  t.deepEqual(
    pool.stats().workers.flatMap((worker) => worker.tasks.map(({ task }) => task)),
    ['sample.stubborn']
  )
  controller.abort()
  await t.throwsAsync(stubborn, { code: 'ABORT_ERR' })
  t.is(await pool.runTask('sample.add', [1, 1]), 2)
  await pool.runTask('sample.letGo')
  await pool.close()
})

test('a panic rejects its task, prints nothing, and harms no other task', async (t) => {
  const { code, stdout, stderr } = await program(`
    const assert = require('node:assert')
    ;(async () => {
      await rspool.loadTasks(${JSON.stringify(sample)})
      const pool = new rspool.Pool({ maxThreads: 2 })
      for (let round = 0; round < 10; round++) {
        const calls = Array.from({ length: 1000 }, (_, i) => i % 10 ? pool.runTask('sample.panics', 'number ' + i) : pool.runTask('sample.add', [i, 1]))
        for (const [i, { value, reason }] of (await Promise.allSettled(calls)).entries()) {
          if (i % 10 === 0) assert.strictEqual(value, i + 1)
          else {
            assert.strictEqual(reason.code, 'ERR_RSPOOL_TASK_PANIC')
            assert.match(reason.message, new RegExp('^sample.panics: the task panicked: number ' + i + ' \\\\(.*lib.rs:'))
          }
        }
      }
      await assert.rejects(pool.runTask('sample.panicsInAChunk'), /chunk 50/)
      await pool.close()
      console.log('end')
    })()
  `)
  t.is(stderr, '')
  t.is(stdout, 'end\n')
  t.is(code, 0)
})

test('a crash is the end of its process', async (t) => {
  const { code, signal, stdout } = await program(`
    rspool.loadTasks(${JSON.stringify(sample)}).then(() => rspool.runTask('sample.crash')).finally(() => console.log('no'))
  `)
  t.not(code ?? signal, 0)
  t.is(stdout, '')
})

test.serial('each worker has a state, made from the config of its pool, and dropped when it ends', async (t) => {
  const one = { path: sample, config: { start: 100 } }
  const pool = new Pool({ maxThreads: 1, plugins: [one] })
  const other = new Pool({ maxThreads: 1 })
  const reader = new Pool({ maxThreads: 1 })
  const states = () => reader.runTask('sample.states')
  const before = await states()
  t.deepEqual([await pool.runTask('sample.next'), await pool.runTask('sample.next')], [101, 102])
  t.is(await other.runTask('sample.next'), 11)
  t.is(await states(), before + 2)
  await Promise.all([pool.close(), other.close()])
  t.is(await states(), before)
  await reader.close()
  t.deepEqual(pool.options.plugins, [one])
})

test('the workers of a pool share a state', async (t) => {
  const pool = new Pool({ maxThreads: 3 })
  const numbers = await Promise.all(Array.from({ length: 50 }, () => pool.runTask('sample.nextOfAll')))
  t.is(new Set(numbers).size, 50)
  t.is(Math.max(...numbers), 50)
  await pool.close()
  const next = new Pool({ maxThreads: 1 })
  t.is(await next.runTask('sample.nextOfAll'), 1)
  await next.close()
})

test('a state that cannot be made fails the task, with what the plugin says', async (t) => {
  const pool = new Pool({ maxThreads: 1, plugins: [{ path: sample, config: { refuse: 'not today' } }] })
  for (let i = 0; i < 2; i++)
    await t.throwsAsync(pool.runTask('sample.next'), { code: 'ERR_SAMPLE_REFUSED', message: /not today/ })
  await pool.close()
  const wrong = new Pool({ plugins: [{ path: sample, config: { strat: 1 } }] })
  await t.throwsAsync(wrong.runTask('sample.next'), { message: /config\.strat is unknown, did you mean start\?/ })
  await wrong.close()
})

test('a file is loaded once, by whatever name', async (t) => {
  const link = scratch(t, 'linked.node')
  fs.symlinkSync(sample, link)
  t.deepEqual(await loadTasks(link), await loadTasks(pathToFileURL(sample)))
})

test('another file of the same name is refused, and both are named', async (t) => {
  const copy = scratch(t, 'copy.node')
  fs.copyFileSync(sample, copy)
  const error = await t.throwsAsync(loadTasks(copy), { code: 'ERR_RSPOOL_TASK_EXISTS' })
  t.true(error.message.includes(copy) && error.message.includes(fs.realpathSync(sample)), error.message)
  t.is(await runTask('sample.add', [1, 2]), 3)
})

test('what is no plugin is refused by a code that says why', async (t) => {
  const text = scratch(t, 'text.node')
  fs.writeFileSync(text, 'no library')
  const code = (place) => loadTasks(place).then(null, ({ code }) => code)
  t.is(await code(text), 'ERR_RSPOOL_PLUGIN_INVALID')
  t.is(await code('./nowhere.node'), 'ERR_RSPOOL_PLUGIN_NOT_FOUND')
  t.is(await code('no-such-package-of-tasks'), 'ERR_RSPOOL_PLUGIN_NOT_FOUND')
  t.is(await code(os.tmpdir()), 'ERR_RSPOOL_PLUGIN_NOT_FOUND')
  t.is(await code(7), 'ERR_RSPOOL_INVALID_ARGUMENT')
  t.is(await code('https://example.com/x.node'), 'ERR_RSPOOL_INVALID_ARGUMENT')
  t.throws(() => new Pool({ plugins: [{ path: text }] }), { code: 'ERR_RSPOOL_PLUGIN_INVALID' })
  t.throws(() => new Pool({ plugins: [{}] }), { message: /'path' is missing/ })
  await t.throwsAsync(loadTasks(sample, { confg: {} }), { message: /Did you mean 'config'\?/ })
})

test('a library for another machine is refused, and both machines are named', async (t) => {
  const foreign = scratch(t, 'foreign.node')
  const elf = Buffer.alloc(64)
  elf.write('\x7fELF\x02\x01\x01', 0, 'latin1')
  elf.writeUInt16LE(243, 18)
  fs.writeFileSync(foreign, elf)
  const error = await t.throwsAsync(loadTasks(foreign), { code: 'ERR_RSPOOL_PLUGIN_INCOMPATIBLE' })
  t.regex(error.message, /riscv64.*(x86_64|aarch64)/)
})

test('what one thread has loaded, all have', async (t) => {
  const { code, stdout, stderr } = await program(
    `
    const { Worker } = require('node:worker_threads')
    const main = require('node:path').join(process.cwd(), 'index.js')
    const worker = new Worker(\`
      const { parentPort } = require('node:worker_threads')
      const { runTask, tasks } = require(\${JSON.stringify(main)})
      parentPort.once('message', async () => {
        parentPort.postMessage([await runTask('sample.add', [1, 2]), await tasks.sample.add([2, 2]), 'sample' in tasks])
      })
      parentPort.postMessage('sample' in tasks)
    \`, { eval: true })
    worker.once('message', async (before) => {
      await rspool.loadTasks(${JSON.stringify(sample)})
      worker.once('message', (after) => console.log(JSON.stringify([before, after])))
      worker.postMessage('go')
    })
  `,
    { cwd: path.join(__dirname, '..') }
  )
  t.is(stdout, '[false,[3,4,true]]\n', stderr)
  t.is(code, 0)
})

test('tasks shows its families and takes no others', (t) => {
  t.true(Object.keys(tasks).includes('sample'))
  t.true(Object.isFrozen(tasks.sample))
  t.throws(
    () => {
      tasks.other = {}
    },
    { instanceOf: TypeError }
  )
  t.throws(() => delete tasks.hash, { instanceOf: TypeError })
  t.is(tasks.nothing, undefined)
})

test('metrics and errors of a pool know its tasks by name', async (t) => {
  const pool = new Pool({ label: 'with-plugins', maxThreads: 1 })
  await pool.runTask('sample.add', [1, 2])
  t.true(pool.metrics().includes('sample.add'))
  await pool.close()
})
