'use strict'

// What people read who make a mistake: it names the mistake, its place, and what to do instead.

const path = require('node:path')
const test = require('ava')
const { inspect } = require('node:util')
const { Pool, move, runTask } = require('..')
const { directory, failure, makePool, node, program, stayAlive } = require('./helpers')

const root = path.join(__dirname, '..')

function scripted(t, files) {
  const dir = directory(t, files)
  return (name, options) => makePool(t, { filename: path.join(dir, name), maxThreads: 1, ...options })
}

test('a script that is not there is named, and where relative paths are from', async (t) => {
  const missing = await failure(makePool(t, { filename: './wroker.js', maxThreads: 1 }).run(1))
  t.is(missing.code, 'ERR_RSPOOL_WORKER_START')
  t.is(
    missing.message,
    `No worker could be started: Cannot find module '${path.resolve('wroker.js')}': a relative 'filename' is taken from the working directory, ${process.cwd()}`
  )
  t.regex(
    (await failure(runTask({ filename: '/nowhere/at-all.mjs' }, 1))).message,
    /Cannot find module '\/nowhere\/at-all\.mjs'$/
  )
})

test('a script that misses another module says which', async (t) => {
  const pool = scripted(t, { 'a.js': "require('./not-there')", 'b.mjs': "import 'not-installed'" })
  t.regex((await failure(pool('a.js').run(1))).message, /Cannot find module '\.\/not-there'/)
  t.regex((await failure(pool('b.mjs').run(1))).message, /not-installed/)
})

test('an error in the syntax of a script has its file and line', async (t) => {
  const pool = scripted(t, { 'bad.js': '\n\nmodule.exports = (', 'bad.mjs': '\nexport default (' })
  t.regex((await failure(pool('bad.js').run(1))).message, /\(\S*bad\.js:\d+\)$/)
  t.regex(
    (await failure(pool('bad.mjs').run(1))).message,
    /Unexpected end of input \(in \S*bad\.mjs, or a module that it imports\)$/
  )
})

test('an URL that is not of a file is no path', (t) => {
  for (const filename of [
    'https://example.com/a.js',
    'http://localhost/a.js',
    'blob:nodedata:x',
    new URL('https://a.b/')
  ])
    if (filename !== 'blob:nodedata:x')
      t.throws(() => new Pool({ filename }), { message: /'filename' must be a path, a file: URL or a data: URL, got / })
})

test('a param that is given beside params is told so', async (t) => {
  const error = await failure(runTask('hash.sha256', 'x', { encoding: 'hex' }))
  t.is(
    error.message,
    "Options of a native task: unknown option 'encoding'. It is a param of the task: { params: { encoding: … } }"
  )
})

test('a file as the task is told how to name it', async (t) => {
  for (const name of ['./w.js', 'w.mjs', 'lib/w.ts', 'C:\\w.js'])
    t.true((await failure(runTask(name, 1))).message.includes(`runTask({ filename: '${name}' }, input)`))
  t.regex((await failure(runTask({ file: './w.js' }, 1))).message, /must be a name, a function or \{ filename, name \}/)
})

test('what cannot be cloned is named with its place, in the input and in the result', async (t) => {
  const pool = scripted(t, {
    'w.js': `module.exports = (x) => x
      module.exports.deep = () => ({ rows: [1, { id: Symbol('s') }] })
      module.exports.fn = () => () => 1
      module.exports.promise = () => [Promise.resolve(1)]`
  })('w.js')
  const refused = (promise) => failure(promise).then(({ name, message }) => [name, message])
  t.deepEqual(await refused(pool.run({ user: { onSave: () => 1 } })), [
    'DataCloneError',
    "() => 1 could not be cloned: it is user.onSave in the input of task 'default'"
  ])
  t.deepEqual(await refused(Promise.resolve().then(() => pool.runSync([[Symbol('x')]]))), [
    'DataCloneError',
    "Symbol(x) could not be cloned: it is [0][0] in the input of task 'default'"
  ])
  t.deepEqual(await refused(pool.runTask('deep')), [
    'DataCloneError',
    "Symbol(s) could not be cloned: it is rows[1].id in the result of task 'deep'"
  ])
  t.regex((await refused(pool.runTask('fn')))[1], /: it is the result of task 'fn'$/)
  t.regex((await refused(pool.runTask('promise')))[1], /: it is \[0\] in the result of task 'promise'$/)
})

test('what cannot be cloned is named in every way to call', async (t) => {
  const pool = scripted(t, {
    'w.js': `const worker = require(${JSON.stringify(path.join(root, 'lib/worker/api.js'))})
      module.exports.rows = function* () { yield 1; yield { fn() {} } }
      module.exports.odd = (n) => (n % 2 ? { fn() {} } : n)
      module.exports.nested = () => worker.runTask('odd', { fn() {} })
      module.exports.talk = () => 1`
  })('w.js')
  const bad = { a: { fn() {} } }
  const whole = async (iterable) => {
    for await (const _ of iterable);
  }
  const said = async (promise) => (await failure(promise)).message.replace(/^.* could not be cloned: /s, '')
  const inline = (n) => n
  t.is(await said(pool.runTask(inline, [bad])), 'it is [0].a.fn in the input of the inline task')
  t.is(await said(pool.run(move(bad, []), { name: 'odd' })), "it is a.fn in the input of task 'odd'")
  t.is(await said(pool.exports().odd(bad)), "it is a.fn in the input of task 'odd'")
  t.is(await said(whole(pool.map([1, bad], 'odd'))), "it is fn in the result of task 'odd'")
  t.regex(
    await said(whole(pool.map([2, bad, 2, 2], 'odd'))),
    /^it is (a\.fn in the input|\[\d\]\.a\.fn in the inputs) of task 'odd'$/
  )
  t.is(await said(whole(pool.stream('rows', bad))), "it is a.fn in the input of task 'rows'")
  t.regex(await said(whole(pool.stream('rows'))), /^it is \[\d\]\.fn in the items of task 'rows'$/)
  t.is(await said(pool.channel('talk', bad).result), "it is a.fn in the input of task 'talk'")
  t.is(await said(pool.runTask('nested')), "it is fn in the input of task 'odd'")
})

test('an array that an inline function would get as its arguments, and too many, is told how to be one', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  for (const fn of [
    (list) => list,
    async (list) => list,
    async (list) => list,
    function (list) {
      return list
    },
    {
      list(rows) {
        return rows
      }
    }.list
  ]) {
    // biome-ignore format: each is a way to write a function
    const error = await failure(pool.runTask(fn, [1, 2]))
    t.is(error.code, 'ERR_RSPOOL_INVALID_ARGUMENT')
    t.regex(error.message, /takes 1 argument, and the input is an array of 2: .*write runTask\(fn, \[array\]\)$/)
    t.deepEqual(await pool.runTask(fn, [[1, 2]]), [1, 2])
  }
  const fine = [(...all) => all.length, (a, b = 1) => b, ({ a }) => a ?? 3, () => 4, function (a) { return a + arguments.length }] // biome-ignore format: each is a way to write a function
  t.deepEqual(await Promise.all(fine.map((fn) => pool.runTask(fn, [1, 2]))), [2, 2, 3, 4, 3])
  t.regex((await failure(pool.run(...[1, 2]))).message, /Several values are one input in an array: run\(\[a, b\]\)$/)
  t.regex(
    (await failure(pool.run(...[[1], [2]]))).message,
    /Several values are one input in an array: run\(\[a, b\]\)$/
  )
})

test('a generator that is called as a function is told how to be', async (t) => {
  const pool = scripted(t, {
    'w.js': 'module.exports = function* () { yield 1 }\nmodule.exports.later = async function* () { yield 1 }'
  })('w.js')
  for (const call of [pool.run(), pool.runTask('later'), pool.runTask(function* () {})])
    t.regex(
      (await failure(call)).message,
      /the function of (task '\w+'|the inline task) gave a generator, whose items come by pool\.stream\(task, input\)$/
    )
})

test('a method that was taken from its pool says so', async (t) => {
  const { run, runTask: task } = makePool(t, { maxThreads: 1 })
  for (const call of [run, task]) {
    const error = await failure(call(1))
    t.is(error.code, 'ERR_RSPOOL_INVALID_ARGUMENT')
    t.regex(error.message, /called on its pool, as in pool\.run/)
  }
})

test('a pool that is logged says what it is', async (t) => {
  const pool = makePool(t, { label: 'images', maxThreads: 2 })
  t.is(
    inspect(pool, { breakLength: 200 }),
    "Pool { label: 'images', maxThreads: 2, workers: 0, queued: 0, running: 0 }"
  )
  await pool.close()
  t.regex(inspect(pool, { breakLength: 200 }), /^Pool \{ label: 'images', .*closed: true \}$/)
})

test('a pool whose script cannot be loaded says so before its first call', async (t) => {
  stayAlive(t)
  const pool = makePool(t, { filename: './not-there.js', minThreads: 2, maxThreads: 2 })
  const error = await new Promise((resolve) => pool.once('error', resolve))
  t.is(error.code, 'ERR_RSPOOL_WORKER_START')
  t.regex(error.message, /Cannot find module/)
  const { stderr } = await program(`
    new rspool.Pool({ filename: './not-there.js' })
    process.on('warning', () => clearInterval(timer))
    const timer = setInterval(() => {}, 1000)
  `)
  t.is(stderr.match(/RspoolWarning/g).length, 1)
  t.regex(stderr, /A worker of the pool 'not-there' could not be started.*Cannot find module/s)
})

test('a process that may load no addon is told which flag is in the way', async (t) => {
  const load = `require(${JSON.stringify(root)})`
  const refused = await node(['--no-addons', '-e', load])
  t.regex(refused.stderr, /What to do:\n\s+start it without --no-addons/)
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'
  const unpermitted = await node([permission, '--allow-fs-read=*', '-e', load])
  t.regex(unpermitted.stderr, /start it with --allow-addons/)
})

test('a script that failed to load is tried again by the next start, in an isolate that had seen it fail', async (t) => {
  const fs = require('node:fs')
  for (const [file, broken, whole] of [
    ['late.js', 'module.exports = (', 'module.exports = () => 5'],
    ['late.cjs', "throw new Error('no')", 'module.exports = () => 5'],
    ['late.mjs', 'export default (', 'export default () => 5'],
    ['thrown.mjs', "throw new Error('no')", 'export default () => 5'],
    [
      'setup.mjs',
      "export function setup() { if ((globalThis.tries = (globalThis.tries ?? 0) + 1) < 3) throw new Error('no') }; export default () => 5",
      ''
    ]
  ]) {
    // On a busy machine an isolate that comes late is replaced, which shows nothing.
    for (let same = false; !same; ) {
      const dir = directory(t, { 'home.js': 'module.exports = () => 1', [file]: broken })
      const pool = makePool(t, { filename: path.join(dir, 'home.js'), maxThreads: 1 })
      const task = { filename: path.join(dir, file) }
      const where = () => require('node:worker_threads').threadId
      const before = await pool.runTask(where)
      t.is((await failure(pool.runTask(task))).code, 'ERR_RSPOOL_WORKER_START', file)
      t.is((await failure(pool.runTask(task))).code, 'ERR_RSPOOL_WORKER_START', file)
      if (whole !== '') fs.writeFileSync(path.join(dir, file), whole)
      t.is(await pool.runTask(task), 5, file)
      same = (await pool.runTask(where)) === before
    }
  }
})

test('a working directory that is gone is named at once, also to a thread that is blocked', async (t) => {
  const { stdout } = await program(`
    const fs = require('node:fs')
    const dir = fs.mkdtempSync(require('node:path').join(require('node:os').tmpdir(), 'gone-'))
    process.chdir(dir)
    fs.rmdirSync(dir)
    const pool = new rspool.Pool({ maxThreads: 1 })
    try { pool.runTaskSync(() => 1) } catch (error) { console.log(error.code, error.message, error.cause.cause.code) }
    pool.runTask(() => 1).catch((error) => console.log(error.code))
  `)
  const [first, second] = stdout.split('\n')
  t.is(
    first,
    'ERR_RSPOOL_WORKER_START No worker could be started: the working directory of the process is gone, and no thread can start without one ENOENT'
  )
  t.is(second, 'ERR_RSPOOL_WORKER_START')
})

test('an option in the wrong place is told where it belongs', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const told = async (call) => (await failure(Promise.resolve().then(call))).message
  t.is(
    await told(() => new Pool({ signal: AbortSignal.abort() })),
    "Pool options: unknown option 'signal'. It is an option of a call: pool.run(input, { signal: … })"
  )
  t.regex(
    await told(() => pool.runTask(() => 1, [], { maxThreads: 2 })),
    /of the pool: new Pool\(\{ maxThreads: … \}\)$/
  )
  t.regex(
    await told(() => pool.runTask(() => 1, [], { params: {} })),
    /of native tasks: runTask\('hash\.sha256', input, \{ params: … \}\)$/
  )
  t.regex(await told(() => pool.runTask(() => 1, [], { time: 5 })), /Did you mean 'timeout'\?$/)
  t.regex(await told(() => new Pool('./w.js')), /got '\.\/w\.js'\. Write new Pool\(\{ filename: '\.\/w\.js' \}\)$/)
  t.regex(await told(() => new Pool(4)), /got 4\. Write new Pool\(\{ maxThreads: 4 \}\)$/)
  t.regex(await told(() => pool.run(1, 'resize')), /To call another export, write \{ name: 'resize' \}$/)
  t.regex(await told(() => pool.run(1, new AbortController().signal)), /got a signal\. Write \{ signal \}$/)
  t.regex(await told(() => pool.run((a) => a, [1])), /To run a function with arguments, use runTask\(fn, args\)\./)
})

test('a function or a promise that is given as input is told what to write instead', async (t) => {
  const pool = scripted(t, { 'w.js': 'module.exports = (x) => x' })('w.js')
  const told = async (input) => (await failure(pool.run(input))).message
  t.regex(await told(async () => 1), /a function is no input\. To run it, use runTask\(fn, args\)$/)
  t.regex(await told(Promise.resolve(1)), /a promise is no input\. Await it first, as in run\(await value\)$/)
})

test('every method that was taken from its pool says so', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const names = [
    'map',
    'stream',
    'broadcast',
    'channel',
    'ready',
    'pause',
    'resize',
    'recycle',
    'close',
    'destroy',
    'stats'
  ]
  for (const name of names) {
    const { [name]: method } = pool
    const error = await failure(Promise.resolve().then(() => method()))
    t.is(error.code, 'ERR_RSPOOL_INVALID_ARGUMENT', name)
    t.regex(error.message, /called on its pool/, name)
  }
})
