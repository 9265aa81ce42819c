'use strict'

// Readings of a pool: the histograms, what is told of each worker, and the text for Prometheus.

const path = require('node:path')
const test = require('ava')
const { directory, failure, makePool, rspool, stayAlive, taskPool } = require('./helpers')

// ---- histograms --------------------------------------------------------------------------------

test('the histograms have each task that ran', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const { wait, run } = pool.histogram
  t.is(pool.histogram.wait, wait)
  t.deepEqual([wait.count, wait.min, wait.max, wait.mean, wait.stddev, wait.percentile(99)], [0, 0, 0, 0, 0, 0])
  t.deepEqual(
    [...run.percentiles],
    [
      [0, 0],
      [100, 0]
    ]
  )
  await Promise.all(Array.from({ length: 100 }, (_, i) => pool.run(i)))
  await failure(pool.runTask('throws'))
  for (const histogram of [wait, run]) {
    t.is(histogram.count, 101)
    const { min, max, mean, stddev } = histogram
    t.true(0 < min && min <= mean && mean <= max && stddev >= 0)
    t.is(histogram.percentile(100), max)
    const steps = [...histogram.percentiles]
    t.deepEqual(
      steps.map(([percent]) => percent),
      [0, 50, 75, 87.5, 93.75, 96.875, 98.4375, 100]
    )
    for (let i = 1; i < steps.length; i++) t.true(steps[i][1] >= steps[i - 1][1])
    t.is(histogram.percentile(50), steps[1][1])
    t.is(JSON.parse(JSON.stringify(histogram)).percentiles[50], steps[1][1])
  }
  const { runTime } = pool.stats()
  t.deepEqual([runTime.count, runTime.max, runTime.p50], [run.count, run.max, run.percentile(50)])
})

test('a histogram that is reset begins anew, alone', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const { wait, run } = pool.histogram
  await pool.run(1)
  wait.reset()
  t.deepEqual([wait.count, wait.max, run.count], [0, 0, 1])
  await pool.run(2)
  t.deepEqual([wait.count, run.count], [1, 2])
  t.deepEqual([pool.stats().waitTime.count, pool.stats().runTime.count], [1, 2])
})

test('the histograms of a pool that has ended are its last', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await pool.run(1)
  await pool.close()
  const { wait, run } = pool.histogram
  t.deepEqual([wait.count, run.count], [1, 1])
  t.is(run.percentile(50), run.max)
  wait.reset()
  t.deepEqual([wait.count, run.count], [0, 1])
})

test('a percentile that cannot be is refused', (t) => {
  const { wait } = makePool(t).histogram
  for (const percent of [0, -1, 100.1, Number.NaN, '50', undefined])
    t.throws(() => wait.percentile(percent), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message: /up to 100, got/ })
})

// ---- workers -----------------------------------------------------------------------------------

/** Looks until it is as expected; the test's time limit ends it otherwise. */
async function until(look) {
  for (;;) {
    const value = look()
    if (value) return value
    await new Promise(setImmediate)
  }
}

test('each worker tells its thread, its heap and its event loop, also while it hangs', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 2, minThreads: 2, abortGrace: 0 })
  await pool.ready()
  const thread = await pool.runTask('where')
  const hanging = pool.runTask('loop')
  await gate.arrival()
  const workers = () => pool.stats().workers
  // A first reading of the heap was asked for when the isolate got ready.
  await until(() => workers().every(({ heap }) => heap !== null))
  const stuck = () => workers().find(({ state }) => state === 'busy')
  const { heap, threadId, age, eventLoopUtilization } = stuck()
  t.true(workers().some((worker) => worker.threadId === thread))
  t.true(Number.isInteger(threadId))
  t.true(0 < heap.used && heap.used <= heap.total && heap.total <= heap.limit)
  t.true(heap.age >= 0 && heap.age <= age)
  t.true(eventLoopUtilization.active > 0 && eventLoopUtilization.utilization > 0)
  const { active } = eventLoopUtilization
  await until(() => stuck().eventLoopUtilization.active > active + 20)
  if (process.platform === 'linux') {
    const { cpuTime } = stuck()
    await until(() => stuck().cpuTime >= cpuTime + 20)
    t.true(workers().every((worker) => Number.isInteger(worker.cpuTime)))
  } else t.is(stuck().cpuTime, null)
  await pool.destroy()
  await failure(hanging)
  t.deepEqual(pool.stats().workers, [])
})

const { Worker } = require('node:worker_threads')
const testOfInterrupts = typeof Worker.prototype.getHeapStatistics === 'function' ? test : test.skip

testOfInterrupts('the heap of a worker that hangs is read anew', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 0 })
  const grows = (cells) => {
    Atomics.add(cells, 0, 1)
    Atomics.notify(cells, 0)
    const all = []
    for (;;) if (all.length < 1_000_000) all.push({ n: all.length })
  }
  const hanging = pool.runTask(grows, [gate.cells])
  await gate.arrival()
  await until(() => pool.stats().workers[0].heap?.used > 20_000_000)
  await pool.destroy()
  t.is((await failure(hanging)).code, 'ERR_RSPOOL_POOL_CLOSED')
})

test('a native worker tells its CPU time and has no heap', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  await pool.runTask('math.fibonacci', 32)
  const worker = pool.stats().workers.find(({ lane }) => lane === 'native')
  t.deepEqual([worker.heap, worker.eventLoopUtilization, worker.threadId], [null, null, null])
  t.is(worker.completed, 1)
  if (process.platform === 'linux') t.true(Number.isInteger(worker.cpuTime))
})

// ---- Prometheus --------------------------------------------------------------------------------

/**
 * Reads the exposition format strictly: a family's HELP, TYPE and samples stand together, once.
 * @param {string} text
 */
function parse(text) {
  const families = new Map()
  const lines = text.split('\n')
  if (lines.pop() !== '') throw new Error('the last line does not end')
  let family
  for (const line of lines) {
    const help = /^# HELP ([a-z_:][a-z0-9_:]*) (\S.*)$/.exec(line)
    if (help) {
      if (families.has(help[1])) throw new Error(`${help[1]} comes twice`)
      family = { name: help[1], type: undefined, samples: new Map() }
      families.set(help[1], family)
      continue
    }
    const type = /^# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram)$/.exec(line)
    if (type) {
      if (type[1] !== family?.name || family.type !== undefined) throw new Error(`misplaced: ${line}`)
      family.type = type[2]
      continue
    }
    const sample = /^([a-z_:][a-z0-9_:]*)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (-?[0-9.e+-]+)$/.exec(line)
    if (sample === null) throw new Error(`no sample: ${line}`)
    const [, name, labels, value] = sample
    const suffix = name.slice(family.name.length)
    const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    if (!name.startsWith(family.name) || !suffixes.includes(suffix)) throw new Error(`misplaced: ${line}`)
    const key = `${suffix}{${labels}}`
    if (family.samples.has(key)) throw new Error(`twice: ${line}`)
    family.samples.set(key, Number(value))
  }
  return families
}

test('the metrics are valid, and say what the statistics say', async (t) => {
  const { pool, gate } = taskPool(t, { maxThreads: 1, label: 'we"ird\\\n' })
  const where = await pool.runTask('where')
  t.true(where > 0)
  await failure(pool.runTask('throws'))
  const running = pool.runTask('pause')
  await gate.arrival()
  const waiting = pool.runTask('square', 3)
  const families = parse(pool.metrics())
  gate.open()
  await Promise.all([running, waiting])
  const id = /id="(\d+)"/.exec(pool.metrics())[1]
  const labels = (more = '') => `{pool="we\\"ird\\\\\\n",id="${id}"${more}}`
  const value = (name, more, suffix = '') => families.get(name).samples.get(suffix + labels(more))
  t.is(value('rspool_tasks_total', ',outcome="completed"'), 1)
  t.is(value('rspool_tasks_total', ',outcome="thrown"'), 1)
  t.is(value('rspool_tasks_queued'), 1)
  t.is(value('rspool_tasks_running'), 1)
  t.true(value('rspool_oldest_queued_seconds') > 0)
  t.true(value('rspool_oldest_running_seconds') > 0)
  t.is(value('rspool_threads_max'), 1)
  t.is(value('rspool_workers', ',lane="script",state="busy"'), 1)
  t.is(value('rspool_workers', ',lane="native",state="idle"'), 0)
  t.is(value('rspool_worker_tasks', ',lane="script",worker="0"'), 2)
  const tasks = ['where', 'throws', 'pause']
  const counts = (family) => tasks.map((task) => value(family, `,task="${task}"`, '_count'))
  t.deepEqual(counts('rspool_task_wait_seconds'), [1, 1, 1])
  t.deepEqual(counts('rspool_task_run_seconds'), [1, 1, 0])
  t.is(value('rspool_task_run_seconds', ',task="where",le="+Inf"', '_bucket'), 1)
  t.true(value('rspool_task_run_seconds', ',task="where"', '_sum') > 0)
  for (const family of ['rspool_task_wait_seconds', 'rspool_task_run_seconds'])
    for (const task of tasks) {
      const below = [...families.get(family).samples]
        .filter(([key]) => key.startsWith('_bucket') && key.includes(`task="${task}"`))
        .map(([, count]) => count)
      t.is(below.length, 20)
      for (let i = 1; i < below.length; i++) t.true(below[i] >= below[i - 1], 'buckets hold those below them')
    }
})

test('counters and histograms never go down', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const monotonic = () =>
    [...parse(pool.metrics()).values()]
      .filter(({ type }) => type !== 'gauge')
      .flatMap(({ name, samples }) => [...samples].map(([key, value]) => [name + key, value]))
  await pool.run(0)
  let before = new Map(monotonic())
  const steps = [
    () => pool.run(1),
    () => pool.histogram.run.reset(),
    () => pool.histogram.wait.reset(),
    () => pool.run(2),
    () => pool.resize({ maxThreads: 2 }),
    () => pool.close(),
    () => pool.histogram.run.reset()
  ]
  for (const step of steps) {
    await step()
    const now = new Map(monotonic())
    t.is(now.size, before.size)
    for (const [name, value] of now) t.true(value >= before.get(name), name)
    before = now
  }
  t.is([...before].find(([name]) => name.startsWith('rspool_task_run_seconds_count'))[1], 3)
})

test('a hundred names have times of their own, native tasks among them, and the others share one', async (t) => {
  const tasks = Array.from({ length: 110 }, (_, i) => `task${i}`)
  const dir = directory(t, { 'many.js': tasks.map((name) => `exports.${name} = () => 1`).join('\n') })
  const pool = makePool(t, { filename: path.join(dir, 'many.js'), maxThreads: 1 })
  await pool.runTask('hash.crc32', 'x')
  await pool.runTask(() => 1)
  await pool.runTask((n) => n, [1])
  for (const name of tasks) await pool.runTask(name)
  for (let i = 0; i < 2; i++) {
    const { samples } = parse(pool.metrics()).get('rspool_task_run_seconds')
    const counts = new Map()
    for (const [key, count] of samples) if (key.startsWith('_count')) counts.set(/task="([^"]+)"/.exec(key)[1], count)
    t.is(counts.get('hash.crc32'), 1)
    t.is(counts.get('(inline)'), 2)
    t.is(counts.get('task0'), 1)
    // The default export, which was not called, has a place too.
    t.is(counts.size, 100)
    t.is(counts.get('other'), 13)
    await pool.close()
  }
})

test('all pools of a thread are one exposition', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const other = makePool(t)
  await pool.run(1)
  await other.runTask('hash.crc32', 'x')
  const ids = () => new Set(Array.from(rspool.metrics().matchAll(/ id="(\d+)"|,id="(\d+)"/g), ([, a, b]) => a ?? b))
  const families = parse(rspool.metrics())
  t.true(families.get('rspool_tasks_queued').samples.size >= 2)
  const before = ids()
  const [, id] = /id="(\d+)"/.exec(other.metrics())
  t.true(before.has(id))
  await other.close()
  t.false(ids().has(id), 'a pool that has ended is in it no more')
})

test('the heap is read without the files of the system, and without process', async (t) => {
  stayAlive(t)
  const { pool } = taskPool(t, { maxThreads: 1 })
  await pool.ready()
  await pool.runTask(() => {
    process.memoryUsage = () => {
      throw new Error('ENOENT: no such file or directory, uv_resident_set_memory')
    }
  })
  let heap
  while ((heap = pool.stats().workers[0].heap) === null) await new Promise(setImmediate)
  t.true(heap.used > 0 && heap.total >= heap.used)
  t.is(await pool.run(1), 1)
})
