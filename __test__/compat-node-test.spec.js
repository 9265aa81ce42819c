'use strict'

const test = require('ava')
const { directory, fixture, node } = require('./helpers')

const source = `const test = require('node:test')
const assert = require('node:assert')
const usePools = require(${JSON.stringify(fixture('compat/body.js'))})
for (const n of [1, 2]) test('pools left open ' + n, async () => assert.strictEqual(await usePools(), usePools.expected))
test.after(() => console.log('after'))`

test('node:test ends by itself with pools left open', async (t) => {
  const dir = directory(t, { 'a.test.js': source, 'b.test.js': source })
  const { code, signal, stdout } = await node(['--test', '--test-reporter=tap', 'a.test.js', 'b.test.js'], {
    cwd: dir,
    // Or the inner runner takes this process for a part of an outer one.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined }
  })
  t.is(signal, null)
  t.regex(stdout, /# pass 4/, stdout)
  t.is(code, 0)
})
