'use strict'

// An app with the published packages, traced, bundled, or in one executable.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { promisify } = require('node:util')
const test = require('ava')
const { node } = require('../helpers')
const { TUPLE, app, tool } = require('./packages')

const files = {
  'app.js': `const path = require('node:path')
const { Pool, runTask } = require('rspool')
const pool = new Pool({ filename: path.join(__dirname, 'worker.js'), maxThreads: 1 })
Promise.all([pool.run(20), pool.runTask((n) => n + 1, 1), runTask('hash.crc32', 'text')])
  .then((results) => console.log(JSON.stringify(results)))
  .catch((error) => console.log(error.message))
`,
  'worker.js': "const { isWorkerThread } = require('rspool/worker')\nmodule.exports = (n) => [isWorkerThread, n * 2]\n"
}
const EXPECTED = [[true, 40], 2, 999008199]

/** @param {import('ava').ExecutionContext} t @param {string} dir @param {string} file */
async function works(t, dir, file) {
  const { code, stdout, stderr } = await node([file], { cwd: dir })
  t.is(code, 0, stderr)
  t.deepEqual(JSON.parse(stdout), EXPECTED)
}

/** Copies what is traced from the app alone; its script goes beside it as the app's user would copy it. */
test('what @vercel/nft traces runs elsewhere: the addon is in it, and all that threads start from', async (t) => {
  const { nodeFileTrace } = require(tool('@vercel/nft'))
  const dir = app(t, files)
  const { fileList } = await nodeFileTrace([path.join(dir, 'app.js')], { base: dir, ignore: 'worker.js' })
  t.false(fileList.has('worker.js'))
  const elsewhere = app(t, { 'worker.js': files['worker.js'] }, [])
  for (const file of fileList) {
    fs.mkdirSync(path.dirname(path.join(elsewhere, file)), { recursive: true })
    fs.copyFileSync(path.join(dir, file), path.join(elsewhere, file))
  }
  t.true(fileList.has(path.join('node_modules', `rspool-${TUPLE}`, `rspool.${TUPLE}.node`)))
  await works(t, elsewhere, 'app.js')
})

test('ncc bundles an app that leaves the package out', async (t) => {
  const dir = app(t, files)
  const { code } = await require(tool('@vercel/ncc'))(path.join(dir, 'app.js'), { externals: ['rspool'], quiet: true })
  fs.mkdirSync(path.join(dir, 'dist'))
  fs.writeFileSync(path.join(dir, 'dist/app.js'), code)
  fs.copyFileSync(path.join(dir, 'worker.js'), path.join(dir, 'dist/worker.js'))
  await works(t, dir, 'dist/app.js')
})

/** Bundlers that take in whatever they are not told to leave out. */
const naive = {
  async esbuild(dir) {
    await require('esbuild').build({
      entryPoints: [path.join(dir, 'app.js')],
      outfile: path.join(dir, 'dist/app.js'),
      bundle: true,
      platform: 'node',
      loader: { '.node': 'copy' },
      logLevel: 'silent'
    })
  },
  async webpack(dir) {
    const compiler = require('webpack')({
      mode: 'development',
      target: 'node20',
      context: dir,
      entry: './app.js',
      output: { path: path.join(dir, 'dist'), filename: 'app.js' },
      module: { rules: [{ test: /\.node$/, type: 'asset/resource' }] }
    })
    await promisify(compiler.run.bind(compiler))()
    await promisify(compiler.close.bind(compiler))()
  },
  async ncc(dir) {
    const { code, assets } = await require(tool('@vercel/ncc'))(path.join(dir, 'app.js'), { quiet: true })
    fs.mkdirSync(path.join(dir, 'dist'))
    fs.writeFileSync(path.join(dir, 'dist/app.js'), code)
    for (const [name, { source }] of Object.entries(assets)) {
      fs.mkdirSync(path.dirname(path.join(dir, 'dist', name)), { recursive: true })
      fs.writeFileSync(path.join(dir, 'dist', name), source)
    }
  }
}

for (const [bundler, bundle] of Object.entries(naive)) {
  test(`an app that ${bundler} has bundled with all that is in it works, or is told to leave the package out`, async (t) => {
    const dir = app(t, files)
    await bundle(dir)
    fs.copyFileSync(path.join(dir, 'worker.js'), path.join(dir, 'dist/worker.js'))
    const { stdout, stderr } = await node(['dist/app.js'], { cwd: dir })
    if (stdout.startsWith('[')) t.deepEqual(JSON.parse(stdout), EXPECTED)
    else t.regex(stdout + stderr, /in a bundle: leave rspool out of it/i)
  })
}

test('a single executable loads the package from beside it', async (t) => {
  const dir = app(t, {
    ...files,
    'main.js': "require('node:module').createRequire(process.execPath)('./app.js')\n",
    'sea.json': JSON.stringify({ main: 'main.js', output: 'sea.blob', disableExperimentalSEAWarning: true })
  })
  const blob = await node(['--experimental-sea-config', 'sea.json'], { cwd: dir })
  t.is(blob.code, 0, blob.stderr)
  const executable = path.join(dir, process.platform === 'win32' ? 'app.exe' : 'app')
  fs.copyFileSync(process.execPath, executable)
  fs.chmodSync(executable, 0o755)
  const { inject } = require(tool('postject'))
  const sentinelFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
  await inject(executable, 'NODE_SEA_BLOB', fs.readFileSync(path.join(dir, 'sea.blob')), { sentinelFuse })
  t.deepEqual(JSON.parse(execFileSync(executable, { encoding: 'utf8' })), EXPECTED)
})
