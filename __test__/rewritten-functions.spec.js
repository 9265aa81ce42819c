'use strict'

// Inline functions whose text tools have changed: coverage, and compilers with their helpers.

const { join } = require('node:path')
const test = require('ava')
const { directory, makePool } = require('./helpers')

const source = `
export const counts = (o) => { if (o.a > 0 && o.b) { return o.a ? o.a + 1 : 0 } return 0 }
export const waits = async (o) => { const { a, ...rest } = o; try { await Promise.reject(new Error('no')) } catch { return { ...rest, d: await 4 } } }
export const loads = async () => (await import('node:path')).sep
export const iterates = async () => { const seen = []; for await (const each of [1, Promise.resolve(2)]) seen.push(each); return seen }
export const names = () => { const inner = () => 1; return inner.name }
`
const expected = {
  counts: 2,
  waits: { b: 2, c: 3, d: 4 },
  loads: require('node:path').sep,
  iterates: [1, 2],
  names: 'inner'
}

const typescript = (options, text = source) => {
  const ts = require('typescript')
  const { module = ts.ModuleKind.CommonJS } = options
  return ts.transpileModule(text, { compilerOptions: { ...options, module } }).outputText
}
const esbuild = (options, text = source) =>
  require('esbuild').transformSync(text, { format: 'cjs', keepNames: true, platform: 'node', ...options }).code
const istanbul = (options) => {
  const { createInstrumenter } = require('istanbul-lib-instrument')
  return createInstrumenter({ esModules: true, ...options }).instrumentSync(source, 'caller.js')
}

const tools = {
  'coverage by istanbul': () => esbuild({ keepNames: false }, istanbul({})),
  'coverage by istanbul with its logic': () => esbuild({ keepNames: false }, istanbul({ reportLogic: true })),
  'coverage by istanbul before TypeScript for ES2015': () => typescript({ target: 2 }, istanbul({})),
  'TypeScript for ES2015': () => typescript({ target: 2 }),
  'TypeScript for ES2015 with tslib': () => typescript({ target: 2, importHelpers: true }),
  'TypeScript for ES2017': () => typescript({ target: 4 }),
  'TypeScript for ES2022': () => typescript({ target: 9, esModuleInterop: true }),
  'esbuild for ES2015': () => esbuild({ target: 'es2015' }),
  'esbuild for ES2016': () => esbuild({ target: 'es2016' }),
  'esbuild for Node.js 20': () => esbuild({ target: 'node20' })
}

for (const [tool, transform] of Object.entries(tools)) {
  test(`inline functions work after ${tool}`, async (t) => {
    const dir = directory(t, {
      // They run as if this file had called.
      'caller.js': `${transform()}\nmodule.exports.call = (pool, fn) => pool.runTask(fn, [{ a: 1, b: 2, c: 3 }])`,
      'node_modules/tslib/index.js': `module.exports = require(${JSON.stringify(require.resolve('tslib'))})`
    })
    const pool = makePool(t, { maxThreads: 1 })
    const caller = require(join(dir, 'caller.js'))
    const results = {}
    for (const name of Object.keys(expected)) results[name] = await caller.call(pool, caller[name])
    t.deepEqual(results, expected)
  })
}

/** What the function `() => expression` rejects with, called where tslib is not installed. */
async function refused(t, expression) {
  const dir = directory(t, { 'caller.js': `module.exports = (pool) => pool.runTask(() => ${expression})` })
  const calling = require(join(dir, 'caller.js'))(makePool(t, { maxThreads: 1 }))
  const { message } = await t.throwsAsync(calling, { code: 'ERR_RSPOOL_INVALID_ARGUMENT' }, expression)
  return message
}

test('what a tool has put there and a worker cannot have is refused with the name of the tool and what to do', async (t) => {
  for (const [expression, name, ...says] of [
    ['__vite_ssr_import_0__.join()', '__vite_ssr_import_0__', /vitest/, /await import\('node:path'\)/],
    ['__vite_ssr_import_meta__.url', '__vite_ssr_import_meta__', /import\.meta/, /as input/],
    ['a__WEBPACK_IMPORTED_MODULE_0__.b', 'a__WEBPACK_IMPORTED_MODULE_0__', /webpack/, /await import/],
    ['__generator(1)', '__generator', /TypeScript/, /"target" to es2018/],
    ['tslib_1.__generator(1)', 'tslib_1', /TypeScript/, /install tslib/],
    ['__privateGet(1)', '__privateGet', /esbuild/, /node20/],
    ['_ref.apply(this)', '_ref', /Babel/, /for the Node\.js that runs/],
    ['_ts_generator(1)', '_ts_generator', /Babel or SWC/, /for the Node\.js that runs/],
    ['_regeneratorRuntime(1)', '_regeneratorRuntime', /Babel or SWC/, /for the Node\.js that runs/]
  ]) {
    const message = await refused(t, expression)
    t.true(message.includes(`'${name}'`), message)
    for (const part of says) t.regex(message, part)
    t.notRegex(message, /Pass it as input/)
  }
})

test('a name that a tool or a user may have given is explained both ways', async (t) => {
  for (const [name, tool] of Object.entries({
    node_path_1: 'TypeScript',
    import_node_path: 'esbuild',
    _nodePath: 'Babel or SWC'
  })) {
    const message = await refused(t, `${name}.join()`)
    t.true(message.includes(`Pass it as input, as in runTask((${name}) => ..., [${name}])`), message)
    t.true(message.includes(`If ${tool} has made that name of an import, import it inside of the function`), message)
  }
})

test('names of the user that only look a little like those of tools are named as theirs', async (t) => {
  const message = await refused(t, 'recover_1x + 1')
  t.regex(message, /Pass it as input, as in runTask\(\(recover_1x\) => \.\.\., \[recover_1x\]\)$/)
})

test("the helpers of Babel's own package are there, too", async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  const fn = new Function(
    `return function () { return (0, _asyncToGenerator2.default)(function* (n) { return (yield n) + 1 })(1) }`
  )()
  t.is(await pool.runTask(fn), 2)
})

test("the helpers of SWC are there, those of its package too, and keep 'this'", async (t) => {
  const pool = makePool(t, { maxThreads: 1 })
  for (const helper of ['_async_to_generator', '_async_to_generator._']) {
    const fn = new Function(`return function () {
      const object = { n: 3, add: ${helper}(function* (m) { return this.n + (yield Promise.resolve(m)) }) }
      return object.add(4)
    }`)()
    t.is(await pool.runTask(fn), 7)
  }
})
