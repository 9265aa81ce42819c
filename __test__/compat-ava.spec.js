'use strict'

const path = require('node:path')
const test = require('ava')
const { directory, fixture, node, root } = require('./helpers')

const source = `import test from ${JSON.stringify(path.join(root, 'node_modules/ava/entrypoints/main.mjs'))}
import usePools from ${JSON.stringify(fixture('compat/body.js'))}
for (const n of [1, 2]) test('pools left open ' + n, async (t) => t.is(await usePools(), usePools.expected))`

for (const [how, workerThreads] of Object.entries({ processes: false, 'worker threads': true })) {
  test(`ava in ${how} ends by itself with pools left open`, async (t) => {
    const dir = directory(t, {
      'package.json': JSON.stringify({ ava: { workerThreads, files: ['*.test.mjs'], timeout: '40s' } }),
      'a.test.mjs': source,
      'b.test.mjs': source
    })
    require('node:fs').symlinkSync(path.join(root, 'node_modules'), path.join(dir, 'node_modules'))
    const { code, signal, stdout, stderr } = await node([path.join(dir, 'node_modules/ava/entrypoints/cli.mjs')], {
      cwd: dir,
      env: { ...process.env, NO_COLOR: '1', CI: '1' }
    })
    t.is(signal, null)
    t.regex(stdout, /4 tests passed/, stdout + stderr)
    t.is(code, 0)
  })
}
