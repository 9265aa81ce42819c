'use strict'

const path = require('node:path')
const test = require('ava')
const { directory, makePool, program } = require('./helpers')
const Piscina = require('../piscina.js')

const SCRIPT = `exports.print = (text) => { console.log(text); console.error(text + '!') }
exports.printLater = async (text) => { await null; process.stdout.write(text + '\\n'); process.stderr.write(text + '!\\n') }
exports.fails = (text) => { console.log(text); throw new Error(text) }
exports.much = (n) => { for (let i = 0; i < n; i++) console.log('line ' + i); return n }`

const file = (t) => path.join(directory(t, { 'prints.js': SCRIPT }), 'prints.js')

/** What has been written by the time that a program's tasks have settled, and what afterwards. */
async function seen(body) {
  const { stdout, code } = await program(`
    let out = ''
    let err = ''
    const real = { out: process.stdout.write.bind(process.stdout) }
    process.stdout.write = (chunk) => { out += chunk; return true }
    process.stderr.write = (chunk) => { err += chunk; return true }
    const show = (value) => real.out(JSON.stringify(value) + '\\n')
    ${body}
  `)
  return {
    stdout: stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
    code
  }
}

for (const name of ['print', 'printLater']) {
  for (const [what, options] of [
    ['a pool', ''],
    ['several tasks at once', 'concurrentTasksPerWorker: 4'],
    ['a prefix', "outputPrefix: '> '"]
  ]) {
    test(`what ${name} has written is there before its result, with ${what}`, async (t) => {
      const { stdout } = await seen(`
        const pool = new rspool.Pool({ filename: ${JSON.stringify(file(t))}, maxThreads: 1, ${options} })
        ;(async () => {
          const missing = []
          for (let i = 0; i < 50; i++) {
            await pool.run('text ' + i, { name: '${name}' })
            if (!out.includes('text ' + i + '\\n') || !err.includes('text ' + i + '!\\n')) missing.push(i)
          }
          show(missing)
        })()
      `)
      t.deepEqual(stdout, [[]])
    })
  }
}

test('so is what a task that throws has written, and all of much', async (t) => {
  const { stdout } = await seen(`
    const pool = new rspool.Pool({ filename: ${JSON.stringify(file(t))}, maxThreads: 1 })
    ;(async () => {
      await pool.run('before it threw', { name: 'fails' }).catch(() => show(out))
      show([await pool.run(5000, { name: 'much' }), out.includes('line 4999\\n')])
    })()
  `)
  t.deepEqual(stdout, ['before it threw\n', [5000, true]])
})

test('with outputFirst: false a result does not wait', async (t) => {
  const { stdout, code } = await seen(`
    const pool = new rspool.Pool({ filename: ${JSON.stringify(file(t))}, maxThreads: 1, outputFirst: false })
    pool.run('text', { name: 'print' }).then(() => pool.close()).then(() => show(out))
  `)
  t.is(code, 0)
  t.deepEqual(stdout, ['text\n'])
})

test('a blocked thread reads no output, and gets the result all the same', async (t) => {
  const { stdout } = await seen(`
    const pool = new rspool.Pool({ filename: ${JSON.stringify(file(t))}, maxThreads: 1 })
    for (let i = 0; i < 20; i++) show(pool.runSync(i, { name: 'much' }) === i)
    // One that is on its way when the thread is blocked.
    ;(async () => {
      await pool.run(1, { name: 'much' })
      const pending = pool.run(3, { name: 'much' })
      show(pool.runSync(2, { name: 'much' }))
      show(await pending)
    })()
  `)
  t.deepEqual(stdout, [...new Array(20).fill(true), 2, 3])
})

test("rspool/piscina's results come after the output, as piscina's do", async (t) => {
  t.is(typeof Piscina, 'function')
  const { stdout } = await seen(`
    const Piscina = require(${JSON.stringify(require.resolve('../piscina.js'))})
    const filename = ${JSON.stringify(file(t))}
    ;(async () => {
      for (const options of [{}, { concurrentTasksPerWorker: 2 }]) {
        const pool = new Piscina({ filename, maxThreads: 1, minThreads: 1, ...options })
        const missing = []
        for (let i = 0; i < 20; i++) {
          await pool.run('text ' + i, { name: 'print' })
          if (!out.includes('text ' + i + '\\n')) missing.push(i)
        }
        show(missing)
        await pool.destroy()
      }
    })()
  `)
  t.deepEqual(stdout, [[], []])
})

for (const shape of [
  "new Pool({ ...o, stdout: 'pipe' })",
  "new Pool({ ...o, stdout: 'pipe' }).ready()",
  "new Pool({ ...o, stdout: 'pipe' }).run('x', { name: 'print' })",
  "const p = new Pool({ ...o, stdout: 'pipe' }); p.on('stdout', () => {}); p.run('x', { name: 'print' })",
  "new Pool({ ...o, stderr: 'pipe' }).run('x', { name: 'print' })",
  "new Pool({ maxThreads: 1, stdout: 'pipe', stderr: 'pipe' }).runTask(() => 1, [])",
  "new Pool({ ...o, stdout: 'ignore', stderr: 'ignore' }).run('x', { name: 'print' })",
  "new Pool({ ...o, outputPrefix: true }).run('x', { name: 'print' })"
]) {
  test(`an idle pool keeps no process whatever becomes of its output: ${shape}`, async (t) => {
    const { code } = await program(`
      const { Pool } = rspool
      const o = { filename: ${JSON.stringify(file(t))}, minThreads: 1, maxThreads: 1 }
      ${shape}
    `)
    t.is(code, 0)
  })
}

test('a task that writes for ever holds back no other', async (t) => {
  const dir = directory(t, {
    'writes.js': `let on = true
      exports.writer = async () => { while (on) { process.stdout.write('x'); await new Promise(setImmediate) } }
      exports.other = () => console.log('other')
      exports.stop = () => { on = false }`
  })
  const pool = makePool(t, {
    filename: path.join(dir, 'writes.js'),
    maxThreads: 1,
    concurrentTasksPerWorker: 2,
    stdout: 'ignore'
  })
  const writer = pool.runTask('writer')
  for (let i = 0; i < 20; i++) await pool.runTask('other')
  await pool.runTask('stop')
  await writer
  t.pass()
})

test('what is piped is there before the result, too', async (t) => {
  const pool = makePool(t, { filename: file(t), maxThreads: 1, stdout: 'pipe', stderr: 'ignore' })
  let out = ''
  const from = []
  pool.on('stdout', (chunk, worker) => {
    out += chunk
    from.push(worker.number)
  })
  await pool.run('piped', { name: 'print' })
  t.is(out, 'piped\n')
  t.deepEqual(from, [1])
})

test('the process asks what is left to do once, unless something is on its way', async (t) => {
  const counted = (body) =>
    program(`
      let asked = 0
      process.on('beforeExit', () => asked++)
      process.on('exit', () => console.log(asked))
      ${body}
    `)
  t.is((await counted('new rspool.Pool({ maxThreads: 1 }).runTask(() => 1)')).stdout, '1\n')
  t.is((await counted("new rspool.Pool({ maxThreads: 1 }).runTask(() => console.log('hi'))")).stdout, 'hi\n1\n')
  const late = "new rspool.Pool({ maxThreads: 1, outputFirst: false }).runTask(() => console.log('late'))"
  t.regex((await counted(late)).stdout, /^late\n[12]\n$/)
})
