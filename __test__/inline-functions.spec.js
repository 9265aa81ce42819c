'use strict'

const test = require('ava')
const { failure, makePool, taskPool } = require('./helpers')

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

test('require is that of the working directory', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  t.is(await pool.runTask(() => require('node:path').sep), require('node:path').sep)
  t.is(await pool.runTask(() => require('./package.json').name), 'rspool')
})

test('import works', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  t.is(await pool.runTask(async () => (await import('node:path')).sep), require('node:path').sep)
})

test('what is outside of the function is not there, and the error is of the task', async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const outside = 1
  const error = await t.throwsAsync(
    pool.runTask(() => outside + 1),
    { name: 'ReferenceError' }
  )
  t.regex(error.message, /outside is not defined/)
  t.is(await pool.runTask(() => 1), 1)
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
