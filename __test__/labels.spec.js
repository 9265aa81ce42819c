'use strict'

const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const { Pool, WorkerPool, metrics } = require('..')
const { directory, fixture, makePool, program } = require('./helpers')

test('a label is the base name of the script, and pool without one', async (t) => {
  const dir = directory(t, { 'thumb nails.worker.mjs': 'export default (n) => n' })
  const named = makePool(t, { filename: path.join(dir, 'thumb nails.worker.mjs'), maxThreads: 1 })
  t.is(named.options.label, 'thumb nails.worker')
  t.is(await named.run(1), 1)
  t.regex(makePool(t).options.label, /^pool(-\d+)?$/)
  t.regex(makePool(t, { filename: 'data:text/javascript,export default 1' }).options.label, /^pool-\d+$/)
})

test('a label that was not given is that of no other living pool', async (t) => {
  const dir = directory(t, { 'same.js': 'module.exports = (n) => n' })
  const filename = path.join(dir, 'same.js')
  const options = { filename, minThreads: 0, maxThreads: 1 }
  const [first, second] = [makePool(t, options), makePool(t, options)]
  t.deepEqual([first.options.label, second.options.label], ['same', 'same-2'])
  await first.close()
  const third = makePool(t, options)
  t.is(third.options.label, 'same')
  t.is(new WorkerPool(1, filename).options.label, 'same-3')
})

test('a label that is given is kept, and name is the export alone', async (t) => {
  const options = { filename: fixture('tasks.js'), name: 'square', label: 'numbers', maxThreads: 1 }
  const pools = [makePool(t, options), makePool(t, options)]
  for (const pool of pools) {
    t.is(pool.options.label, 'numbers')
    t.is(pool.options.name, 'square')
    t.is(await pool.run(3), 9)
  }
  t.regex(pools[0].metrics(), /rspool_tasks_total\{pool="numbers",id="\d+",outcome="completed"\} 1\n/)
  t.regex(metrics(), /pool="numbers"/)
  for (const label of ['', 5, null, {}]) {
    t.throws(() => new Pool({ label }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message: /'label' must be a string/ })
  }
})

test('the default pool is called default', async (t) => {
  const { stdout } = await program(`
    new rspool.Pool({ label: 'other' })
    rspool.runTask(() => 1).then(() => console.log(rspool.metrics().match(/rspool_threads_max\\{pool="(\\w+)"/g).join()))
  `)
  t.is(stdout, 'rspool_threads_max{pool="other",rspool_threads_max{pool="default"\n')
})

test('threads and measures carry the label', async (t) => {
  const pool = makePool(t, { filename: fixture('tasks.js'), label: 'images', maxThreads: 1, timing: true })
  const { PerformanceObserver } = require('node:perf_hooks')
  const measured = new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => {
      const mine = list.getEntriesByName('rspool:task').find(({ detail }) => detail.pool === 'images')
      if (mine === undefined) return
      observer.disconnect()
      resolve(mine)
    })
    observer.observe({ entryTypes: ['measure'] })
  })
  await pool.run(1)
  t.is((await measured).detail.task, 'default')
})

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('the system shows the threads of native workers by the label of their pool', async (t) => {
  const namesOfThreads = () =>
    fs.readdirSync('/proc/self/task').map((id) => fs.readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim())
  for (const [label, shown] of [
    ['digests', /^digests \d+$/],
    ['a label that is rather long', /^a label that \d+$/],
    ['ééééééééé\0', /^éééééé \d+$/]
  ]) {
    await makePool(t, { label, maxThreads: 1 }).runTask('hash.crc32', 'x')
    t.true(namesOfThreads().some((name) => shown.test(name)))
  }
})
