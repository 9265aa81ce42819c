'use strict'

const path = require('node:path')
const { promisify } = require('node:util')
const test = require('ava')
const { platformTuple } = require('../lib/native/platform')
const { directory, node, root, whereInstalled } = require('./helpers')

// An app with a script beside it, bundled into dist/ with rspool left out, as docs/bundlers.md says.

const app = `
import { join } from 'node:path'
import { Pool } from 'rspool'
import { double } from './double.js'

const pool = new Pool({ filename: join(__dirname, 'worker.js'), maxThreads: 2 })
Promise.all([pool.run(20), pool.runTask((n) => n + 1, 1), pool.runTask('hash.crc32', 'text')])
  .then((results) => console.log(JSON.stringify([...results, double(1)])))
  .then(() => pool.close())
`
const worker = `
import { isWorkerThread } from 'rspool/worker'
import { double } from './double.js'

export default (n) => [isWorkerThread, double(n)]
`
const files = {
  'package.json': '{"name":"app"}',
  'src/app.js': app,
  'src/worker.js': worker,
  'src/double.js': 'export const double = (n) => n * 2\n',
  // The package as npm would install it.
  'node_modules/rspool/package.json': JSON.stringify({
    name: 'rspool',
    exports: { '.': './index.js', './worker': './worker.js' }
  }),
  'node_modules/rspool/index.js': `module.exports = require(${JSON.stringify(path.join(root, 'index.js'))})`,
  'node_modules/rspool/worker.js': `module.exports = require(${JSON.stringify(path.join(root, 'lib/worker/api.js'))})`
}
const external = ['rspool', 'rspool/worker']
const entries = (dir) => ({ app: path.join(dir, 'src/app.js'), worker: path.join(dir, 'src/worker.js') })

const bundlers = {
  async esbuild(dir) {
    await require('esbuild').build({
      entryPoints: entries(dir),
      outdir: path.join(dir, 'dist'),
      bundle: true,
      minify: true,
      keepNames: true,
      platform: 'node',
      external: ['rspool'],
      logLevel: 'silent'
    })
  },
  async webpack(dir) {
    const compiler = require('webpack')({
      mode: 'production',
      target: 'node20',
      context: dir,
      entry: entries(dir),
      node: { __dirname: false },
      externalsPresets: { node: true },
      externals: Object.fromEntries(external.map((name) => [name, `commonjs ${name}`])),
      output: { path: path.join(dir, 'dist'), filename: '[name].js', library: { type: 'commonjs2' } }
    })
    const stats = await promisify(compiler.run.bind(compiler))()
    if (stats.hasErrors()) throw new Error(stats.toString())
    await promisify(compiler.close.bind(compiler))()
  },
  async rollup(dir) {
    const bundle = await require('rollup').rollup({ input: entries(dir), external: [...external, 'node:path'] })
    await bundle.write({ dir: path.join(dir, 'dist'), format: 'cjs', entryFileNames: '[name].js', exports: 'auto' })
    await bundle.close()
  },
  async vite(dir) {
    const { build } = await import('vite')
    await build({
      root: dir,
      configFile: false,
      logLevel: 'error',
      build: {
        ssr: true,
        outDir: 'dist',
        rollupOptions: { input: entries(dir), external, output: { format: 'cjs', entryFileNames: '[name].js' } }
      }
    })
  }
}

for (const [name, bundle] of Object.entries(bundlers)) {
  whereInstalled(test, name)(`an app bundled by ${name} runs`, async (t) => {
    const dir = directory(t, files)
    await bundle(dir)
    const { code, stdout, stderr } = await node([path.join(dir, 'dist/app.js')], { cwd: dir })
    t.is(code, 0, stderr)
    t.deepEqual(JSON.parse(stdout), [[true, 40], 2, 999008199, 2])
  })
}

test('an app that has rspool in its bundle is told to leave it out', async (t) => {
  const dir = directory(t, { 'app.js': `require(${JSON.stringify(path.join(root, 'index.js'))})` })
  await require('esbuild').build({
    entryPoints: [path.join(dir, 'app.js')],
    outfile: path.join(dir, 'dist/app.js'),
    bundle: true,
    platform: 'node',
    external: ['*.node'],
    logLevel: 'silent'
  })
  const env = { ...process.env, RSPOOL_NATIVE_PATH: undefined }
  const { code, stderr } = await node([path.join(dir, 'dist/app.js')], { cwd: dir, env })
  t.is(code, 1)
  t.regex(stderr, /ERR_RSPOOL_NATIVE_NOT_FOUND/)
  t.regex(stderr, /in a bundle: leave rspool out of it/)
})

test('a pool whose threads lack their files, as in a bundle, is told to leave rspool out of it', async (t) => {
  const env = { ...process.env, RSPOOL_NATIVE_PATH: path.join(root, `rspool.${platformTuple()}.node`) }
  const source = 'index.runTask((n) => n, 1).catch((error) => console.log(error.message))'
  for (const files of [{}, { 'worker/bootstrap.js': "require('./loop')" }]) {
    const dir = directory(t, {
      ...files,
      'app.js': `const index = require(${JSON.stringify(path.join(root, 'index.js'))})\n${source}`
    })
    await require('esbuild').build({
      entryPoints: [path.join(dir, 'app.js')],
      outfile: path.join(dir, 'dist/js/app.js'),
      bundle: true,
      platform: 'node',
      logLevel: 'silent'
    })
    const { stdout, stderr } = await node([path.join(dir, 'dist/js/app.js')], { cwd: dir, env })
    t.regex(stdout, /No worker could be started: Cannot find module/, stderr)
    t.regex(stdout, /In a bundle: leave rspool out of it/)
  }
})
