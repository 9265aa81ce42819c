'use strict'

// The system gives no thread: the call that wanted one fails with an error of its own, and the pool works on
// when there are threads again.

const { spawnSync } = require('node:child_process')
const path = require('node:path')
const ava = require('ava')
const { directory, fixture, program } = require('./helpers')

const compiles = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0
const test = compiles ? ava : ava.skip

/** Runs a program that may take all threads away (`threads(false)`) and give them back. */
async function withoutThreads(t, source) {
  const dir = directory(t, {})
  const library = path.join(dir, 'no-threads.so')
  const compiled = spawnSync('cc', ['-shared', '-fPIC', '-o', library, fixture('no-threads.c'), '-ldl'], {
    encoding: 'utf8'
  })
  if (compiled.status !== 0) throw new Error(compiled.stderr)
  const flag = path.join(dir, 'flag')
  const { code, signal, stdout, stderr } = await program(
    `const fs = require('node:fs')
const threads = (there) => there ? fs.rmSync(${JSON.stringify(flag)}) : fs.writeFileSync(${JSON.stringify(flag)}, '')
const how = (promise) => promise.then(() => 'ok', (error) => error.code ?? error.name);
${source}`,
    { env: { ...process.env, LD_PRELOAD: library, NO_THREADS: flag }, timeout: 30_000 }
  )
  t.is(code ?? signal, 0, stderr)
  return stdout.trim().split('\n')
}

const works = `
  console.log('then', await how(pool.runTask('math.fibonacci', 10, { timeout: 5000 })), pool.stats().queued)
  await pool.close()
  console.log('closed')`

for (const options of [{}, { timeout: 1000 }, { queueTimeout: 500 }, { timeout: 1000, queueTimeout: 500 }]) {
  test(`the first native call, with ${JSON.stringify(options)}, settles though no thread is to be had`, async (t) => {
    const lines = await withoutThreads(
      t,
      `(async () => {
  const pool = new rspool.Pool({ minThreads: 0, maxThreads: 1 })
  threads(false)
  const first = how(pool.runTask('math.fibonacci', 10, ${JSON.stringify(options)}))
  console.log('settled', (await first) !== undefined)
  threads(true)${works}
})()`
    )
    t.deepEqual(lines, ['settled true', 'then ok 0', 'closed'])
  })
}

test('a pool that is made while no thread is to be had says so, or works when there are threads', async (t) => {
  const lines = await withoutThreads(
    t,
    `(async () => {
  threads(false)
  let pool
  try {
    pool = new rspool.Pool({ minThreads: 0, maxThreads: 1 })
  } catch (error) {
    console.log('refused', typeof error.code)
  }
  threads(true)
  pool ??= new rspool.Pool({ minThreads: 0, maxThreads: 1 })${works}
})()`
  )
  t.deepEqual(lines.slice(-2), ['then ok 0', 'closed'])
  t.true(lines.length === 2 || lines[0] === 'refused string')
})

test('a script task settles though its isolate gets no thread, and the next one runs', async (t) => {
  const lines = await withoutThreads(
    t,
    `(async () => {
  const pool = new rspool.Pool({ filename: fixture('tasks.js'), minThreads: 0, maxThreads: 1 })
  threads(false)
  console.log('first', await how(pool.run(1, { timeout: 1000 })))
  threads(true)
  while (await how(pool.run(1)) !== 'ok');
  console.log('then ok', pool.stats().queued)
  await pool.close()
  console.log('closed')
})()`
  )
  t.deepEqual(lines, ['first ERR_RSPOOL_WORKER_START', 'then ok 0', 'closed'])
})

test('a busy pool goes on with the workers that it has', async (t) => {
  const lines = await withoutThreads(
    t,
    `(async () => {
  const pool = new rspool.Pool({ minThreads: 0, maxThreads: 2 })
  await pool.runTask('math.fibonacci', 10)
  threads(false)
  const all = Array.from({ length: 200 }, (_, n) => how(pool.runTask('math.fibonacci', 10 + n % 20, { timeout: 5000 })))
  console.log((await Promise.all(all)).every((each) => each === 'ok'))
  threads(true)${works}
})()`
  )
  t.deepEqual(lines, ['true', 'then ok 0', 'closed'])
})
