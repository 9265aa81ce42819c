'use strict'

const path = require('node:path')
const { pathToFileURL } = require('node:url')
const test = require('ava')
const { directory, failure, makePool, taskPool } = require('./helpers')

test('native, bound and class functions are refused', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  class Foo {}
  for (const fn of [Math.max, Foo, (() => {}).bind(null), Proxy, class {}]) {
    await t.throwsAsync(pool.runTask(fn), { instanceOf: TypeError, code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  }
})

test('an array is the list of arguments, any other input the only one', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  t.is(await pool.runTask((a, b) => a - b, [5, 3]), 2)
  t.is(await pool.runTask((a) => a.n, { n: 4 }), 4)
  t.is(await pool.runTask((...all) => all.length, []), 0)
  t.is(await pool.runTask((...all) => all.length), 0)
  t.is(await pool.runTask((...all) => all.length, null), 1)
  t.deepEqual(await pool.runTask((list) => list, [[1, 2]]), [1, 2])
})

test('every form of function works', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const object = {
    method(n) {
      return n + 1
    },
    async asyncMethod(n) {
      return n + 2
    },
    'quoted name'(n) {
      return n + 3
    },
    ['comp' + 'uted'](n) {
      return n + 4
    },
    function(n) {
      return n + 5
    },
    arrow: (n) => n + 6
  }
  t.is(await pool.runTask(object.method, 1), 2)
  t.is(await pool.runTask(object.asyncMethod, 1), 3)
  t.is(await pool.runTask(object['quoted name'], 1), 4)
  t.is(await pool.runTask(object.computed, 1), 5)
  t.is(await pool.runTask(object.function, 1), 6)
  t.is(await pool.runTask(object.arrow, 1), 7)
  t.is(
    await pool.runTask(function named(n) {
      return n < 2 ? n : named(n - 1) + named(n - 2)
    }, 10),
    55
  )
  t.is(await pool.runTask(async (n) => n + 8, 1), 9)
  t.is(
    await pool.runTask(async function (n) {
      return n + 9
    }, 1),
    10
  )
  // biome-ignore lint/security/noGlobalEval: a comment after the function must not swallow what follows
  t.is(await pool.runTask(eval('(n) => n // comment'), 3), 3)
})

test('require and import() are those of the file that called', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  t.is(await pool.runTask(() => require('node:path').sep), require('node:path').sep)
  t.is(await pool.runTask(() => require('../package.json').name), 'rspool')
  t.is(await pool.runTask(() => require.resolve('./helpers')), require.resolve('./helpers'))
  t.is(await pool.runTask(async () => typeof (await import('./helpers.js')).default.Gate), 'function')
})

test('the same text loads its own files, whichever file it was written in', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const caller = 'exports.call = (pool) => pool.runTask(() => [require("./which"), import("./which.js")][0])'
  const dir = directory(t, {
    'one/call.js': caller,
    'one/which.js': 'module.exports = 1',
    'two/call.js': caller,
    'two/which.js': 'module.exports = 2'
  })
  for (const [folder, which] of [
    ['one', 1],
    ['two', 2]
  ]) {
    t.is(await require(path.join(dir, folder, 'call.js')).call(pool), which)
  }
})

test('a module is a caller too, also through async functions', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const dir = directory(t, {
    'call.mjs': `export async function call(pool) {
      await undefined
      return pool.runTask(async () => (await import('./which.mjs')).default)
    }`,
    'which.mjs': 'export default 3'
  })
  const { call } = await import(pathToFileURL(path.join(dir, 'call.mjs')))
  t.is(await call(pool), 3)
})

test('looking for the caller leaves the settings of stacks as they are', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const prepare = () => 'mine'
  const { prepareStackTrace, stackTraceLimit } = Error
  t.teardown(() => Object.assign(Error, { prepareStackTrace, stackTraceLimit }))
  Object.assign(Error, { prepareStackTrace: prepare, stackTraceLimit: 3 })
  const running = pool.runTask(() => require('../package.json').name)
  t.is(Error.prepareStackTrace, prepare)
  t.is(Error.stackTraceLimit, 3)
  t.is(await running, 'rspool')
})

test('import works', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  t.is(await pool.runTask(async () => (await import('node:path')).sep), require('node:path').sep)
})

test('a variable that is outside of the function is named', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const $outside = 1
  for (const fn of [
    () => $outside + 1,
    async () => $outside + 1,
    async () => {
      await undefined
      return $outside
    }
  ]) {
    const error = await t.throwsAsync(pool.runTask(fn), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', instanceOf: TypeError })
    t.regex(error.message, /'\$outside'/)
    t.is(error.cause.name, 'ReferenceError')
    t.is(error.cause.message, '$outside is not defined')
  }
  t.is(await pool.runTask(() => 1), 1)
})

test('a ReferenceError of something else is told as it is', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const dir = directory(t, { 'faulty.js': 'module.exports = () => missing' })
  const fn = (file) => {
    const missing = require(file)
    return missing()
  }
  const message = 'missing is not defined'
  await t.throwsAsync(pool.runTask(fn, path.join(dir, 'faulty.js')), { name: 'ReferenceError', message })
})

test('the helper with which esbuild keeps names is there', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const { code } = require('esbuild').transformSync('(n) => { const f = () => n; return [f(), f.name] }', {
    keepNames: true
  })
  t.regex(code, /__name\(/)
  const fn = new Function('__name', `return ${code.slice(code.indexOf('(n) =>'))}`)()
  t.deepEqual(await pool.runTask(fn, 4), [4, 'f'])
})

test('a function is compiled once per worker', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const fn = () => {
    globalThis.compiled ??= new Set()
    globalThis.compiled.add(globalThis.current)
    return globalThis.compiled.size
  }
  const same = function self() {
    globalThis.selves ??= new Set()
    globalThis.selves.add(self)
    return globalThis.selves.size
  }
  for (let i = 0; i < 20; i++) t.is(await pool.runTask(same), 1)
  t.is(await pool.runTask(fn), 1)
})

test('two functions with the same text keep apart from a third', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const make = (n) => (n === 1 ? (x) => x + 1 : (x) => x + 2)
  t.deepEqual(await Promise.all([1, 2, 1, 2].map((n) => pool.runTask(make(n), 10))), [11, 12, 11, 12])
})

test('what an inline function throws arrives', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const fn = () => {
    throw Object.assign(new RangeError('no'), { code: 'E_NO' })
  }
  await t.throwsAsync(pool.runTask(fn), { name: 'RangeError', message: 'no', code: 'E_NO' })
})

test('a function that cannot be compiled rejects its task', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  class Foo {
    #hidden() {
      return 1
    }
    get() {
      return this.#hidden
    }
  }
  await t.throwsAsync(pool.runTask(new Foo().get()), { name: 'SyntaxError' })
  t.is(await pool.runTask(() => 1), 1)
})

test('what a generator function gives cannot be cloned', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const generator = function* () {
    yield 1
  }
  t.is((await failure(pool.runTask(generator))).name, 'DataCloneError')
  t.is(await pool.runTask(() => 2), 2)
})
