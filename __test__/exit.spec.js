'use strict'

// How a process ends that has pools, without anybody closing them.

const test = require('ava')
const { program } = require('./helpers')

const idle = {
  'that was never used': `new rspool.Pool({ filename: fixture('tasks.js') })`,
  'without a script': `new rspool.Pool()`,
  'with no worker at least': `new rspool.Pool({ filename: fixture('tasks.js'), minThreads: 0 })`,
  'that has done its script tasks': `new rspool.Pool({ filename: fixture('tasks.js') }).run(1)`,
  'that has done its native tasks': `new rspool.Pool().runTask('hash.crc32', 'a')`,
  'that is the shared one': `rspool.runTask('hash.crc32', 'a').then(() => rspool.runTask(() => 1))`,
  'with a short idleTimeout': `new rspool.Pool({ filename: fixture('tasks.js'), idleTimeout: 5 }).run(1)`,
  'of which a task failed': `new rspool.Pool({ filename: fixture('tasks.js') }).runTask('throws').catch(() => {})`,
  'of which a worker died': `new rspool.Pool({ filename: fixture('tasks.js') }).runTask('exits', 3).catch(() => {})`,
  'whose script cannot be loaded': `new rspool.Pool({ filename: '/no/such/file.js' }).run(1).catch(() => {})`,
  'whose script keeps timers and servers': `new rspool.Pool({ maxThreads: 1 }).runTask(() => {
    setInterval(() => {}, 1000)
    require('node:net').createServer().listen(0)
  })`,
  'that is being closed': `const pool = new rspool.Pool({ filename: fixture('tasks.js') }); pool.run(1).then(() => { pool.close() })`,
  'that is being destroyed': `const pool = new rspool.Pool({ filename: fixture('tasks.js') }); pool.run(1).catch(() => {}); pool.destroy()`,
  'of which a running task was aborted': `const pool = new rspool.Pool({ maxThreads: 1 }); const c = new AbortController()
    pool.runTask(() => new Promise(() => {}), [], { signal: c.signal }).catch(() => {}); setImmediate(() => c.abort())`
}

for (const [what, source] of Object.entries(idle)) {
  test(`an idle pool keeps no process: one ${what}`, async (t) => {
    const { code, signal, stderr } = await program(`${source}\nprocess.exitCode = 3`)
    t.is(signal, null)
    t.is(code, 3)
    t.is(stderr, '')
  })
}

test('a pending task keeps the process until it has ended', async (t) => {
  for (const task of [
    `pool.runTask(() => new Promise((resolve) => setImmediate(resolve, 'end')))`,
    `pool.runTask('math.fibonacci', 30).then(() => 'end')`,
    `pool.runTask(() => new Promise(() => {}), [], { timeout: 50 }).catch(() => 'end')`,
    `(async () => { for (let n = 0; n < 20; n++) await pool.runTask((n) => n, n); return 'end' })()`
  ]) {
    const { code, stdout } = await program(`const pool = new rspool.Pool({ maxThreads: 1 }); ${task}.then(console.log)`)
    t.is(stdout, 'end\n', task)
    t.is(code, 0)
  }
})

test('process.exit ends a busy process with its code', async (t) => {
  const { code, signal, stderr } = await program(`
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 2, workerData: { gate: new Int32Array(new SharedArrayBuffer(8)) } })
    pool.runTask('loop').catch(() => {})
    pool.runTask('never').catch(() => {})
    pool.runTask('math.countPrimes', 2 ** 53 - 1).catch(() => {})
    for (let n = 0; n < 1000; n++) pool.run(n).catch(() => {})
    setInterval(() => pool.stats().running === 2 && process.exit(7), 5)
  `)
  t.is(signal, null)
  t.is(code, 7)
  t.is(stderr, '')
})

test('process.exit at once, and in a reaction of a task, ends with its code', async (t) => {
  for (const source of [
    `const pool = new rspool.Pool({ filename: fixture('tasks.js') }); pool.run(1); process.exit(7)`,
    `const pool = new rspool.Pool({ filename: fixture('tasks.js') }); pool.run(1).then(() => process.exit(7)); pool.runTask('square', 1)`,
    `const pool = new rspool.Pool(); for (let n = 0; n < 100; n++) pool.runTask('hash.crc32', 'a').then(() => process.exit(7))`
  ]) {
    for (let round = 0; round < 4; round++) {
      const { code, signal, stderr } = await program(source)
      t.is(signal, null)
      t.is(code, 7)
      t.is(stderr, '')
    }
  }
})

test('an uncaught error ends a busy process as it would any other', async (t) => {
  const { code, signal, stderr } = await program(`
    const pool = new rspool.Pool({ maxThreads: 2 })
    pool.runTask(() => { for (;;); }).catch(() => {})
    pool.runTask('math.countPrimes', 2 ** 53 - 1).catch(() => {})
    setInterval(() => { if (pool.stats().running === 2) throw new RangeError('in the middle') }, 5)
  `)
  t.is(signal, null)
  t.is(code, 1)
  t.regex(stderr, /RangeError: in the middle/)
})

test('a rejection that nobody handles ends the process, as any other', async (t) => {
  const { code, stderr } = await program(`
    new rspool.Pool({ filename: fixture('tasks.js') }).runTask('throws')
  `)
  t.is(code, 1)
  t.regex(stderr, /RangeError: out of range/)
})

test('a signal ends a busy process', async (t) => {
  const { signal } = await program(`
    const pool = new rspool.Pool({ maxThreads: 1 })
    pool.runTask(() => { for (;;); })
    setInterval(() => pool.stats().running === 1 && process.kill(process.pid, 'SIGTERM'), 5)
  `)
  t.is(signal, 'SIGTERM')
})

test('exit listeners see the pool, and it is no use any more', async (t) => {
  const { code, stdout } = await program(`
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 1 })
    process.on('exit', () => { console.log(pool.stats().completed); pool.run(1).catch(() => {}) })
    pool.run(1)
  `)
  t.is(code, 0)
  t.is(stdout, '1\n')
})

test('beforeExit may start another round', async (t) => {
  const { code, stdout } = await program(`
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 1 })
    let rounds = 0
    process.on('beforeExit', () => { if (++rounds < 4) pool.runTask('square', rounds).then(console.log) })
    pool.run(1)
  `)
  t.is(code, 0)
  t.is(stdout, '1\n4\n9\n')
})

test('a child process has pools of its own', async (t) => {
  const { code, stdout, stderr } = await program(`
    const pool = new rspool.Pool({ filename: fixture('tasks.js') })
    const source = 'require(' + JSON.stringify(fixture('../../index.js')) + ').runTask("hash.crc32", "a").then(console.log)'
    const child = require('node:child_process').spawn(process.execPath, ['-e', source], { stdio: 'inherit' })
    child.on('exit', (code) => pool.runTask('square', 5).then((n) => console.log(code, n)))
  `)
  t.is(stdout, '3904355907\n0 25\n', stderr)
  t.is(code, 0)
})
