'use strict'

const path = require('node:path')
const test = require('ava')
const { Pool } = require('..')
const { directory, node, root } = require('./helpers')

const worker = `
exports.lines = (count) => {
  for (let i = 0; i < count; i++) {
    console.log('out ' + i)
    console.error('err ' + i)
  }
}
exports.exit = (count) => {
  exports.lines(count)
  process.exit(3)
}
exports.fail = (count) => {
  exports.lines(count)
  throw new Error('no')
}
exports.later = async (count) => {
  for (let i = 0; i < count; i++) {
    await new Promise(setImmediate)
    process.stdout.write('out ' + i + '\\n')
    process.stderr.write('err ' + i + '\\n')
  }
}
exports.long = (length) => {
  process.stdout.write('x'.repeat(length) + '\\n')
}
exports.teardown = () => console.log('torn down')
`

/** What a program prints whose pool of one worker is `pool`. */
function run(t, source, options = '') {
  const dir = directory(t, { 'worker.js': worker })
  const main = `
const { Pool } = require(${JSON.stringify(path.join(root, 'index.js'))})
const pool = new Pool({ filename: './worker.js', maxThreads: 1${options} })
async function main() { ${source} }
main()
`
  return node(['-e', main], { cwd: dir, maxBuffer: 1 << 26 })
}

const lines = (word, count) => Array.from({ length: count }, (_, i) => `${word} ${i}\n`).join('')

for (const name of ['lines', 'later']) {
  test(`what '${name}' writes is there in order when the pool is closed at once`, async (t) => {
    const { code, stdout, stderr } = await run(t, `await pool.run(100, { name: '${name}' }); await pool.close()`)
    t.is(code, 0)
    t.is(stdout, `${lines('out', 100)}torn down\n`)
    t.is(stderr, lines('err', 100))
  })
}

test('what a task writes before process.exit() is there', async (t) => {
  const source = `await pool.run(100, { name: 'exit' }).catch(({ code }) => (process.exitCode = code === 'ERR_RSPOOL_WORKER_EXIT' ? 7 : 8))
    await pool.close()`
  const { code, stdout, stderr } = await run(t, source)
  t.is(code, 7)
  t.is(stdout.replace('torn down\n', ''), lines('out', 100))
  t.is(stderr, lines('err', 100))
})

test('what a task writes before it throws is there', async (t) => {
  const { code, stdout } = await run(t, `await pool.run(100, { name: 'fail' }).catch(() => {}); await pool.close()`)
  t.is(code, 0)
  t.is(stdout, `${lines('out', 100)}torn down\n`)
})

test('one long text is there', async (t) => {
  const { code, stdout } = await run(t, `await pool.run(3_000_000, { name: 'long' }); await pool.close()`)
  t.is(code, 0)
  t.is(stdout.length, 3_000_000 + 1 + 'torn down\n'.length)
})

test('what tasks write is there when the process ends by itself, with the pool open', async (t) => {
  const { code, stdout, stderr } = await run(
    t,
    `process.once('beforeExit', () => pool.run(100, { name: 'later' }))
    await pool.run(100, { name: 'lines' })`
  )
  t.is(code, 0)
  t.is(stdout, lines('out', 100).repeat(2))
  t.is(stderr, lines('err', 100).repeat(2))
})

test('a worker that is busy with what nobody waits for does not keep the process', async (t) => {
  const source = `const busy = pool.runTask(() => { for (;;); }, [], { timeout: 50 })
    await busy.catch(({ code }) => console.log(code))`
  const { code, stdout } = await run(t, source, ', abortGrace: Infinity')
  t.is(code, 0)
  t.is(stdout, 'ERR_RSPOOL_TASK_TIMEOUT\n')
})

test("with 'pipe' the pool has the output as events, with 'ignore' nobody has", async (t) => {
  const source = `let text = ''
    pool.on('stdout', (chunk, { id, threadId }) => (text += chunk, process.exitCode = id === 0 && threadId > 0 ? 0 : 1))
    pool.on('stderr', () => (process.exitCode = 2))
    await pool.run(100, { name: 'lines' })
    await pool.close()
    process.stderr.write(text)`
  const { code, stdout, stderr } = await run(t, source, ", stdout: 'pipe', stderr: 'ignore'")
  t.is(code, 0)
  t.is(stdout, '')
  t.is(stderr, `${lines('out', 100)}torn down\n`)
})

test('each line has the prefix, and one that is not ended is written when its worker ends', async (t) => {
  const source = `await pool.run(3, { name: 'lines' })
    await pool.runTask(() => { process.stdout.write('no '); process.stdout.write('end') })
    await pool.close()`
  const { code, stdout, stderr } = await run(t, source, ", label: 'echo', outputPrefix: true")
  t.is(code, 0)
  t.is(stdout, `${lines('[echo 1] out', 3)}[echo 1] no endtorn down\n`)
  t.is(stderr, lines('[echo 1] err', 3))
  const unended = await run(
    t,
    `await pool.runTask(() => void process.stderr.write('\u{1f600}')); await pool.close()`,
    ", outputPrefix: '> ', stdout: 'ignore'"
  )
  t.is(unended.stdout, '')
  t.is(unended.stderr, '> \u{1f600}\n')
})

test('what a prefix cannot be is refused', (t) => {
  t.throws(() => new Pool({ outputPrefix: 3 }), {
    code: 'ERR_RSPOOL_INVALID_ARGUMENT',
    message: /'outputPrefix' must be a string or a boolean, got 3/
  })
})
