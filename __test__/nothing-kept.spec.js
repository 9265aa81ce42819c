'use strict'

// What has settled belongs to its caller alone: an idle pool keeps no result, error, signal or input alive.

const test = require('ava')
const { program } = require('./helpers')

/** Which of the things that a program makes are alive once nobody but rspool could keep them. */
async function alive(body) {
  const { stdout } = await program(`
    require('node:v8').setFlagsFromString('--expose-gc')
    const gc = require('node:vm').runInNewContext('gc')
    const refs = new Map()
    const watch = (name, object) => { refs.set(name, new WeakRef(object)); return object }
    const { Pool, runTask } = rspool
    ;(async () => {
      await (async () => { ${body} })()
      for (let i = 0; i < 20; i++) { await new Promise(setImmediate); gc() }
      console.log(JSON.stringify([...refs].filter(([, ref]) => ref.deref() !== undefined).map(([name]) => name)))
      process.exit()
    })()
  `)
  return JSON.parse(stdout)
}

const kinds = {
  'a result': "watch('result', await runTask(() => ({ big: 'x'.repeat(1e6) })))",
  'a result by a port': "watch('result', await runTask(() => ({ shared: new SharedArrayBuffer(4), list: [1] })))",
  'an error': "await runTask(() => { throw new Error('mine') }).catch((error) => { watch('error', error) })",
  'an input':
    "await runTask((input) => 1, [watch('input', { a: [1, 2] })]); await runTask((input) => 1, [watch('port', { shared: new SharedArrayBuffer(4) })])",
  'a signal that aborts': `const controller = watch('controller', new AbortController())
    const { signal } = controller
    watch('signal', signal)
    const pending = runTask(() => new Promise(() => {}), [], { signal }).catch((error) => { watch('error', error) })
    controller.abort(watch('reason', new Error('mine')))
    await pending`,
  'a signal that does not': `await runTask(() => 1, [], { signal: watch('signal', new AbortController().signal) })`,
  'a listener of progress': "await runTask(() => 1, [], { onProgress: watch('listener', () => {}) })",
  'a nested result': `const pool = watch('pool', new Pool({ maxThreads: 1 }))
    watch('result', await pool.runTask(() => require(${JSON.stringify(require.resolve('../lib/worker/api.js'))}).runTask(() => ({ a: 1 }))))
    await pool.close()`,
  'a blocking call': "watch('result', rspool.runTaskSync(() => ({ a: 1 })))",
  'a mapping':
    "const pool = new Pool({ maxThreads: 1 }); for await (const each of pool.map([1, 2], (n) => ({ n }))) watch('result ' + each.n, each)",
  'a stream':
    "const pool = new Pool({ maxThreads: 1 }); for await (const each of pool.stream(function* () { yield { n: 1 } }, [])) watch('item', each)",
  'a pool that was closed': `const pool = watch('pool', new Pool({ maxThreads: 1 }))
    await pool.runTask(() => 1)
    await pool.runTask('hash.crc32', 'x')
    await pool.close()`,
  'a pool that was closed before it did anything': "await watch('pool', new Pool({ maxThreads: 1 })).close()"
}

for (const [name, body] of Object.entries(kinds)) {
  test(`nothing keeps ${name} alive`, async (t) => {
    t.deepEqual(await alive(body), [])
  })
}

test('long texts that nobody keeps leave their memory, however many come', async (t) => {
  const { code, stdout, stderr } = await program(`
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 1 })
    ;(async () => {
      let most = 0
      for (const text of ['a megabyte of it'.repeat(65_536), 'ein Megabyte — ja'.repeat(32_768)])
        for (let i = 0; i < 1000; i++) {
          if ((await pool.run(text)).length !== text.length) throw new Error('another length')
          most = Math.max(most, process.memoryUsage.rss())
        }
      await pool.close()
      console.log(most)
    })()
  `)
  t.is(code, 0, stderr)
  // What all of them take is four times as much.
  t.true(Number(stdout) < 2 ** 30, stdout)
})

test('nothing of rspool/piscina keeps a result alive', async (t) => {
  const body = `const Piscina = require(${JSON.stringify(require.resolve('../piscina.js'))})
    const pool = new Piscina({ filename: fixture('tasks.js'), maxThreads: 1 })
    watch('result', await pool.run({ a: 1 }))`
  t.deepEqual(await alive(body), [])
})
