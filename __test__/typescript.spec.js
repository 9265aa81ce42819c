'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const test = require('ava')
const { directory, node, root, whereInstalled } = require('./helpers')

const LOADERS = ['tsx', '@oxc-node/core', '@swc-node/register', 'esbuild']
const NATIVE = Boolean(process.features.typescript)

const MAIN = `
const { Pool } = require(${JSON.stringify(root)})
const pool = new Pool({ filename: process.argv[2], maxThreads: 1 })
const call = (name) => pool.run(20, { name }).catch(({ code, message, stack }) => ({ code, message, stack }))
Promise.all(process.argv.slice(3).map(call))
  .then((results) => console.log(JSON.stringify(results)))
  .then(() => pool.close())
`

/** More than types that can be taken out, and lines that go away with them. */
const SCRIPT = `import { twice } from './helper.js'
interface Gone {
  a: number
  b: number
}
enum Offset {
  By = 2
}
export const add = (n: number): number => twice(n) + Offset.By
export const fail = (given: unknown): never => {
  throw new Error(\`no \${(given as Gone).a}\`)
}
`
const HELPER = 'export const twice = (n: number): number => n * 2\n'

/** A project with these packages installed. */
function project(t, files, packages = []) {
  const dir = directory(t, { 'main.cjs': MAIN, ...files })
  for (const name of packages) {
    const place = path.join(dir, 'node_modules', name)
    fs.mkdirSync(path.dirname(place), { recursive: true })
    fs.symlinkSync(path.join(root, 'node_modules', name), place, 'junction')
  }
  return dir
}

async function run(t, cwd, args, options = {}) {
  const { code, stdout, stderr } = await node(args, { cwd, ...options })
  t.is(code, 0, stderr)
  return JSON.parse(stdout)
}

for (const [extension, script] of [
  ['.ts', 'const run = (n: number): number => n * 2\nmodule.exports = { run }\n'],
  ['.mts', 'export const run = (n: number): number => n * 2\n'],
  ['.cts', 'const run = (n: number): number => n * 2\nmodule.exports = { run }\n']
]) {
  test(`a ${extension} file works with no set-up`, async (t) => {
    const dir = project(t, { [`worker${extension}`]: script }, NATIVE ? [] : ['tsx'])
    t.deepEqual(await run(t, dir, ['main.cjs', `./worker${extension}`, 'run']), [40])
  })
}

for (const loader of LOADERS) {
  // swc's hooks load modules only, and keep their source maps to themselves.
  const limited = loader === '@swc-node/register'
  for (const type of limited ? ['module'] : ['module', 'commonjs']) {
    whereInstalled(test, loader)(`${loader} is found, in a package of type ${type}`, async (t) => {
      const files = { 'package.json': JSON.stringify({ type }), 'worker.ts': SCRIPT, 'helper.ts': HELPER }
      // swc insists on one.
      files['tsconfig.json'] = '{"compilerOptions":{"module":"nodenext","target":"es2022","sourceMap":true}}'
      // CommonJS has no names of files to come.
      if (type === 'commonjs') files['worker.ts'] = SCRIPT.replace('./helper.js', './helper')
      const dir = project(t, files, [loader])
      const [sum, error] = await run(t, dir, ['main.cjs', './worker.ts', 'add', 'fail'])
      t.is(sum, 42)
      t.is(error.message, 'no undefined')
      t.regex(error.stack, limited ? /worker\.ts/ : /worker\.ts:11:\d+/)
    })
  }
}

test('the loader of the working directory serves scripts elsewhere', async (t) => {
  const dir = project(t, {}, ['tsx'])
  const other = directory(t, { 'package.json': '{"type":"module"}', 'worker.ts': SCRIPT, 'helper.ts': HELPER })
  const script = pathToFileURL(path.join(other, 'worker.ts')).href
  t.deepEqual(await run(t, dir, ['main.cjs', script, 'add']), [42])
})

test('without a loader the error says what to install', async (t) => {
  const dir = project(t, { 'worker.ts': SCRIPT, 'helper.ts': HELPER, 'package.json': '{"type":"module"}' })
  const [error] = await run(t, dir, ['main.cjs', './worker.ts', 'add'])
  t.is(error.code, 'ERR_RSPOOL_WORKER_START')
  t.regex(error.message, /worker\.ts|enum/)
  t.regex(error.message, /Install one of tsx, @oxc-node\/core, @swc-node\/register, esbuild/)
})

test('what is wrong with the script itself is told as it is', async (t) => {
  const dir = project(t, { 'worker.mts': 'throw new Error("at the top" as string)\n' }, ['tsx'])
  const [error] = await run(t, dir, ['main.cjs', './worker.mts', 'add'])
  t.is(error.code, 'ERR_RSPOOL_WORKER_START')
  t.regex(error.message, /at the top$/)
})

test('a process that was started with a loader runs its workers with it', async (t) => {
  const files = { 'package.json': '{"type":"module"}', 'worker.ts': SCRIPT, 'helper.ts': HELPER }
  const dir = project(t, files, ['tsx'])
  t.deepEqual(await run(t, dir, ['--import', 'tsx', 'main.cjs', './worker.ts', 'add']), [42])
  const env = { ...process.env, NODE_OPTIONS: '--import tsx' }
  t.deepEqual(await run(t, dir, ['main.cjs', './worker.ts', 'add'], { env }), [42])
})
