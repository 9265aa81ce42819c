'use strict'

// A script may find another copy of the package than its pool: a link, a monorepo, two versions in the tree, a bundle.

const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const { build } = require('esbuild')
const { AtomicCounters, Pool, tasks } = require('..')
const { directory, failure, makePool, program } = require('./helpers')

const root = path.join(__dirname, '..')

const SCRIPT = `const { task, run, runTask, context, move, workerData, isWorkerThread } = require('rspool/worker')
exports.signal = () => { while (!task.signal.aborted); return 'seen' }
exports.aborted = () => task.signal.aborted
exports.progress = () => { task.progress('half'); return task.id >= 0 && task.workerNumber }
exports.nested = async () => [await runTask('leaf', 1), await run(2, { name: 'leaf' }), await runTask('hash.crc32', 'text')]
exports.leaf = (n) => n + 1
exports.user = async () => { await null; return context.user.getStore() }
exports.moved = () => { globalThis.kept = new ArrayBuffer(8); return move(globalThis.kept) }
exports.kept = () => globalThis.kept.byteLength
exports.port = () => { task.port.postMessage('hello') }
exports.facts = () => [workerData, isWorkerThread]`

/** The package as it would be installed a second time. */
function copy(t, edit = (text) => text) {
  const dir = directory(t, { 'script.js': SCRIPT })
  const to = path.join(dir, 'node_modules', 'rspool')
  fs.mkdirSync(to, { recursive: true })
  const addons = fs.readdirSync(root).filter((file) => file.endsWith('.node'))
  for (const file of ['index.js', 'package.json', 'lib', ...addons])
    fs.cpSync(path.join(root, file), path.join(to, file), { recursive: true })
  const host = path.join(to, 'lib', 'worker', 'host.js')
  fs.writeFileSync(host, edit(fs.readFileSync(host, 'utf8')))
  return { dir, filename: path.join(dir, 'script.js') }
}

async function works(t, filename, options) {
  const { AsyncLocalStorage } = require('node:async_hooks')
  const user = new AsyncLocalStorage()
  const pool = makePool(t, {
    filename,
    maxThreads: 1,
    workerData: 'mine',
    context: { user },
    abortGrace: 60_000,
    ...options
  })
  const progress = []
  t.is(await pool.runTask('progress', 0, { onProgress: (value) => progress.push(value) }), 1)
  t.deepEqual(progress, ['half'])
  t.false(await pool.runTask('aborted'))
  const controller = new AbortController()
  const endless = failure(pool.runTask('signal', 0, { signal: controller.signal }))
  await new Promise(setImmediate)
  controller.abort()
  t.is((await endless).code, 'ABORT_ERR')
  t.deepEqual(await pool.runTask('nested'), [2, 3, 999008199])
  t.is(await user.run('Ada', () => pool.runTask('user')), 'Ada')
  t.is((await pool.runTask('moved')).byteLength, 8)
  t.is(await pool.runTask('kept'), 0)
  const { port, result } = pool.channel('port')
  const [message] = await Promise.all([new Promise((resolve) => port.once('message', resolve)), result])
  t.is(message, 'hello')
  t.deepEqual(await pool.runTask('facts'), ['mine', true])
}

test('a script that finds another copy works as with the copy of its pool', async (t) => {
  await works(t, copy(t).filename)
})

test('so does an ES module, with several tasks at once', async (t) => {
  const { dir } = copy(t)
  const names = [...SCRIPT.matchAll(/^exports\.(\w+) = /gm)].map(([, name]) => name)
  const text = SCRIPT.replace(/const (\{.*\}) = require\('(.*)'\)/, "import $1 from '$2'").replaceAll(
    /^exports\.(\w+) = /gm,
    'const $1 = '
  )
  fs.writeFileSync(path.join(dir, 'script.mjs'), `${text}\nexport { ${names.join(', ')} }`)
  await works(t, path.join(dir, 'script.mjs'), { concurrentTasksPerWorker: 2 })
})

test('so does a bundle that has taken rspool/worker in', async (t) => {
  const { dir, filename } = copy(t)
  const outfile = path.join(dir, 'bundle', 'bundle.cjs')
  await build({
    entryPoints: [filename],
    outfile,
    bundle: true,
    platform: 'node',
    external: ['*.node', 'rspool-*'],
    logLevel: 'error'
  })
  fs.rmSync(path.join(dir, 'node_modules'), { recursive: true })
  await works(t, outfile)
})

test('a copy that does not understand the other says so, and names both', async (t) => {
  const { dir, filename } = copy(t, (text) => text.replace('const PROTOCOL = 1', 'const PROTOCOL = 1000'))
  const pool = makePool(t, { filename, maxThreads: 1 })
  const error = await failure(pool.runTask('aborted'))
  t.is(error.code, 'ERR_RSPOOL_WORKER_START')
  t.is(error.cause.code, 'ERR_RSPOOL_TWO_COPIES')
  t.true(
    error.message.includes(root) && error.message.includes(path.join(dir, 'node_modules', 'rspool')),
    error.message
  )
  t.regex(error.message, /find the pool's copy/)
})

test('a pool of a copy beside this one has its own scripts, and its own counters are counters here', async (t) => {
  const { dir } = copy(t)
  const other = require(path.join(dir, 'node_modules', 'rspool'))
  t.not(other.Pool, Pool)
  const pool = new other.Pool({ maxThreads: 1 })
  t.teardown(() => pool.destroy())
  t.is(await pool.runTask((n) => n + 1, 1), 2)
  const counters = new other.AtomicCounters(['bytes', 'done'])
  await tasks.hash.sha256('12345', { counters })
  t.is(counters.get('bytes'), 5)
  t.is(AtomicCounters.from(counters).get('done'), 1)
})

test('outside of a pool there is no task, in the main thread and in a bare worker', async (t) => {
  const api = JSON.stringify(require.resolve('../lib/worker/api.js'))
  const { stdout } = await program(`
    const { Worker } = require('node:worker_threads')
    const look = \`const { task } = require(${api.replaceAll('"', "'")}); console.log(task.signal, task.id, task.workerNumber)\`
    eval(look)
    new Worker(look, { eval: true })
  `)
  t.is(stdout, 'undefined undefined undefined\n'.repeat(2))
})
