'use strict'

// Yarn's Plug'n'Play: packages stay in archives, and only Yarn's loader finds them.

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { promisify } = require('node:util')
const test = require('ava')
const { platformTuple } = require('../lib/native/platform')
const { directory, root } = require('./helpers')

const exec = promisify(execFile)
const yarn = require.resolve('@yarnpkg/cli-dist/bin/yarn.js')

test("a pool, its scripts of both kinds and inline functions work under Yarn's Plug'n'Play", async (t) => {
  const dir = directory(t, {
    'app/package.json': JSON.stringify({ name: 'app', private: true, dependencies: { rspool: 'file:../rspool.tgz' } }),
    'app/yarn.lock': '',
    'app/.yarnrc.yml':
      'nodeLinker: pnp\npnpEnableEsmLoader: true\nenableTelemetry: false\nenableGlobalCache: false\nenableScripts: false\n',
    'app/double.js':
      "const { isWorkerThread } = require('rspool/worker')\nmodule.exports = (n) => [2 * n, isWorkerThread]\n",
    'app/triple.mjs': "import { isWorkerThread } from 'rspool/worker'\nexport default (n) => [3 * n, isWorkerThread]\n",
    'app/main.js': `const { Pool, runTask } = require('rspool')
const pool = new Pool({ filename: require.resolve('./double.js') })
const all = [
  pool.run(4),
  pool.runTask({ filename: require.resolve('./triple.mjs') }, 4),
  pool.runTask((n) => [4 * n, require('rspool/worker').isWorkerThread], 4),
  runTask('hash.crc32', 'x')
]
Promise.all(all).then((results) => console.log(JSON.stringify(results)))
`
  })
  const { stdout } = await exec('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir], {
    cwd: root,
    shell: process.platform === 'win32'
  })
  fs.renameSync(path.join(dir, JSON.parse(stdout)[0].filename), path.join(dir, 'rspool.tgz'))
  const env = { ...process.env, CI: '', RSPOOL_NATIVE_PATH: path.join(root, `rspool.${platformTuple()}.node`) }
  const run = (...args) => exec(process.execPath, [yarn, ...args], { cwd: path.join(dir, 'app'), env, timeout: 60_000 })
  await run('install', '--no-immutable')
  const { stdout: printed } = await run('node', 'main.js')
  t.deepEqual(JSON.parse(printed), [[8, true], [12, true], [16, true], 0x8cdc1683])
})
