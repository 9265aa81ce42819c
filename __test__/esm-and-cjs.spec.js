'use strict'

const path = require('node:path')
const test = require('ava')
const { directory, makePool, program, root } = require('./helpers')

/** A pool over a file with this source. */
function scriptPool(t, file, source, options = {}) {
  const filename = path.join(directory(t, { [file]: source, ...options.files }), file)
  return makePool(t, { filename, maxThreads: 1 })
}

const forms = {
  'module.exports = fn': ['a.js', 'module.exports = (n) => n + 1'],
  'module.exports = fn, in a .cjs file': ['a.cjs', 'module.exports = (n) => n + 1'],
  'module.exports = async fn': ['a.js', 'module.exports = async (n) => n + 1'],
  'module.exports = function with properties': ['a.js', 'module.exports = (n) => n + 1; module.exports.x = 1'],
  'exports.default': ['a.js', 'exports.default = (n) => n + 1'],
  'exports.default of a compiled ES module': [
    'a.js',
    'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = (n) => n + 1'
  ],
  'module.exports = a promise of the function': ['a.js', 'module.exports = Promise.resolve((n) => n + 1)'],
  'exports.default = a promise': ['a.js', 'exports.default = Promise.resolve((n) => n + 1)'],
  'export default, in a .js file of no type': ['a.js', 'export default (n) => n + 1'],
  'import alone, in a .js file of no type': [
    'a.js',
    'import { sep } from "node:path"\nexport { add as default }\nfunction add (n) { return sep && n + 1 }'
  ],
  'export default': ['a.mjs', 'export default (n) => n + 1'],
  'export default function': ['a.mjs', 'export default function add (n) { return n + 1 }'],
  'export default async': ['a.mjs', 'export default async (n) => n + 1'],
  'export default a promise': ['a.mjs', 'export default Promise.resolve((n) => n + 1)'],
  'export { fn as default }': ['a.mjs', 'const add = (n) => n + 1; export { add as default }'],
  'top-level await': ['a.mjs', 'const one = await Promise.resolve(1); export default (n) => n + one']
}

for (const [form, [file, source]] of Object.entries(forms)) {
  test(`the default export: ${form}`, async (t) => {
    const pool = scriptPool(t, file, source)
    t.is(await pool.run(1), 2)
    t.is(await pool.run(1, { name: 'default' }), 2)
  })
}

const named = {
  'exports.add': ['a.js', 'exports.add = (n) => n + 1'],
  'a property of the default function': ['a.js', 'module.exports = () => 0; module.exports.add = (n) => n + 1'],
  'a property of the exported object': ['a.js', 'module.exports = { add: (n) => n + 1 }'],
  'a method of the exported object': ['a.js', 'module.exports = { add (n) { return n + 1 } }'],
  'a getter of the exports': [
    'a.js',
    'Object.defineProperty(exports, "add", { enumerable: true, get: () => (n) => n + 1 })'
  ],
  'export const': ['a.mjs', 'export const add = (n) => n + 1'],
  'export function': ['a.mjs', 'export function add (n) { return n + 1 }'],
  'export async function': ['a.mjs', 'export async function add (n) { return n + 1 }'],
  'a property of the default export': ['a.mjs', 'export default { add: (n) => n + 1 }'],
  'export from another file': ['a.mjs', 'export { add } from "./b.mjs"'],
  'a promise of the function': ['a.mjs', 'export const add = Promise.resolve((n) => n + 1)']
}

for (const [form, [file, source]] of Object.entries(named)) {
  test(`a named export: ${form}`, async (t) => {
    const pool = scriptPool(t, file, source, { files: { 'b.mjs': 'export const add = (n) => n + 1' } })
    t.is(await pool.run(1, { name: 'add' }), 2)
    t.is(await pool.runTask('add', 1), 2)
  })
}

test('an export of a name that is also on Object.prototype is found', async (t) => {
  const pool = scriptPool(t, 'a.js', 'exports.toString = (n) => "own " + n; exports.hasOwnProperty = () => 1')
  t.is(await pool.runTask('toString', 5), 'own 5')
  t.is(await pool.runTask('hasOwnProperty'), 1)
})

test('an export that is no function rejects', async (t) => {
  const pool = scriptPool(t, 'a.js', 'exports.number = 5; exports.add = (n) => n + 1')
  const error = await t.throwsAsync(pool.runTask('number', 5), { code: 'ERR_RSPOOL_UNKNOWN_TASK' })
  t.regex(error.message, /add/)
})

test('a script has its own require, __filename and import.meta.url', async (t) => {
  const cjs = scriptPool(
    t,
    'a.js',
    'module.exports = () => [require("./b"), __filename.endsWith("a.js"), require.main === module]',
    {
      files: { 'b.js': 'module.exports = "b"' }
    }
  )
  t.deepEqual((await cjs.run()).slice(0, 2), ['b', true])
  const esm = scriptPool(t, 'a.mjs', 'export default () => import.meta.url.endsWith("a.mjs")')
  t.true(await esm.run())
})

test('a package of type module is an ES module', async (t) => {
  const pool = scriptPool(t, 'a.js', 'export default () => typeof require', {
    files: { 'package.json': '{ "type": "module" }' }
  })
  t.is(await pool.run(), 'undefined')
})

test('the script is loaded once per worker', async (t) => {
  const pool = scriptPool(t, 'a.js', 'let n = 0; module.exports = () => ++n')
  t.deepEqual(await Promise.all([pool.run(), pool.run(), pool.run()]), [1, 2, 3])
})

test('the package itself is there for import and require, with the same things', async (t) => {
  const { code, stdout, stderr } = await program(
    `const { pathToFileURL } = require('node:url')
    import(pathToFileURL(${JSON.stringify(path.join(root, 'index.js'))}).href).then((esm) => {
      const names = Object.keys(rspool)
      for (const name of names) if (esm[name] !== rspool[name]) throw new Error(name)
      if (esm.default !== rspool) throw new Error('default')
      for (const name of Object.keys(esm)) if (!['default', 'module.exports', ...names].includes(name)) throw new Error(name)
      console.log('same')
    })`
  )
  t.is(stdout, 'same\n', stderr)
  t.is(code, 0)
})

test('rspool/worker is there for import and require', async (t) => {
  const worker = path.join(root, 'lib/worker/api.js')
  const esm = scriptPool(
    t,
    'a.mjs',
    `import worker, { task, move, isWorkerThread, threadId, workerData } from ${JSON.stringify(worker)}
     export default () => [typeof task.id, typeof move, isWorkerThread, threadId > 0, workerData, worker.task === task]`
  )
  t.deepEqual(await esm.run(), ['number', 'function', true, true, undefined, true])
})
