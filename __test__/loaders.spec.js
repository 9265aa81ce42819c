'use strict'

const path = require('node:path')
const { createRequire } = require('node:module')
const { pathToFileURL } = require('node:url')
const test = require('ava')
const { directory, makePool, node, root } = require('./helpers')

const index = path.join(root, 'index.js')
const script = 'export default (n) => n * 2\n'
const files = {
  'package.json': JSON.stringify({ name: 'app', imports: { '#worker': './worker.mjs' } }),
  'worker.mjs': script,
  'main.cjs': `
const { Pool } = require(${JSON.stringify(index)})
const pool = new Pool({ filename: './worker.mjs', maxThreads: 1 })
pool.run(21).then(console.log).then(() => pool.close())
`
}

/** Runs a program in a folder with a script, and gives what it prints. */
async function printed(t, args, options = {}) {
  const { code, stdout, stderr } = await node(args, { cwd: directory(t, files), ...options })
  t.is(code, 0, stderr)
  return stdout.trim()
}

test('data: URLs are scripts', async (t) => {
  for (const filename of [
    `data:text/javascript,${encodeURIComponent(script)}`,
    new URL(`data:text/javascript;base64,${Buffer.from(script).toString('base64')}`)
  ]) {
    t.is(await makePool(t, { filename, maxThreads: 1 }).run(21), 42)
  }
})

test('file: URLs are scripts, as objects and as text, with what needs escapes in them', async (t) => {
  const dir = directory(t, { 'a b#c?d%20.mjs': script })
  const url = pathToFileURL(path.join(dir, 'a b#c?d%20.mjs'))
  for (const filename of [url, url.href, path.join(dir, 'a b#c?d%20.mjs')]) {
    t.is(await makePool(t, { filename, maxThreads: 1 }).run(21), 42)
  }
})

test('package imports, resolved by require.resolve', async (t) => {
  const dir = directory(t, files)
  const filename = createRequire(path.join(dir, 'main.cjs')).resolve('#worker')
  t.is(await makePool(t, { filename, maxThreads: 1 }).run(21), 42)
})

test('package imports, resolved by import.meta.resolve', async (t) => {
  const main = `
import { Pool } from ${JSON.stringify(pathToFileURL(path.join(root, 'index.js')))}
const pool = new Pool({ filename: import.meta.resolve('#worker'), maxThreads: 1 })
console.log(await pool.run(21))
await pool.close()
`
  const dir = directory(t, { ...files, 'main.mjs': main })
  t.is(await printed(t, [path.join(dir, 'main.mjs')]), '42')
})

test('programs of node -e, as a script and as a module', async (t) => {
  t.is(await printed(t, ['-e', files['main.cjs']]), '42')
  const module = files['main.cjs'].replace(/const (.*) = require\((.*)\)/, 'import rspool from $2\nconst $1 = rspool')
  t.is(await printed(t, ['--input-type=module', '-e', module]), '42')
  t.is(await printed(t, ['--input-type=commonjs', '-e', files['main.cjs']]), '42')
})

test('inline functions in programs of node -e', async (t) => {
  const source = `
const { Pool } = require(${JSON.stringify(index)})
const pool = new Pool({ maxThreads: 1 })
pool.runTask(async () => (await import('./worker.mjs')).default(21)).then(console.log).then(() => pool.close())
`
  t.is(await printed(t, ['-e', source]), '42')
})

for (const option of [
  '--experimental-vm-modules',
  '--inspect=0',
  '--enable-source-maps',
  '--conditions=development',
  '--preserve-symlinks',
  '--max-old-space-size=200',
  '--expose-gc'
]) {
  test(`the process may have ${option}`, async (t) => {
    t.is(await printed(t, [option, 'main.cjs']), '42')
  })
}

test('the process may have NODE_OPTIONS', async (t) => {
  const NODE_OPTIONS = '--experimental-vm-modules --enable-source-maps --max-old-space-size=200 --no-warnings'
  t.is(await printed(t, ['main.cjs'], { env: { ...process.env, NODE_OPTIONS } }), '42')
})

test('a script may use the inspector while the process is inspected', async (t) => {
  const main = files['main.cjs'].replace('worker.mjs', 'inspector.mjs')
  const inspector = `
import { Session } from 'node:inspector/promises'
export default async (n) => {
  const session = new Session()
  session.connect()
  const { result } = await session.post('Runtime.evaluate', { expression: String(n) + ' * 2' })
  session.disconnect()
  return result.value
}
`
  const dir = directory(t, { 'main.cjs': main, 'inspector.mjs': inspector })
  t.is(await printed(t, ['--inspect=0', 'main.cjs'], { cwd: dir }), '42')
})
