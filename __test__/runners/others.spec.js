'use strict'

const { execFile } = require('node:child_process')
const path = require('node:path')
const { promisify } = require('node:util')
const test = require('ava')
const { runtimes } = require('../../scripts/runtimes')
const { CJS, ESM, EXPECTED, project, run } = require('./projects')

const outside = /uses 'sep'.* Pass it as input/
const compiled = /uses 'import_node_path'.*esbuild/

test('mocha with tsx runs inline functions', async (t) => {
  const dir = project(t, {
    'src/work.ts': ESM,
    'work.test.ts': `import assert from 'node:assert'
import { all, outer } from './src/work'
describe('rspool', function () {
  this.timeout(60_000)
  it('gives results', async () => assert.strictEqual(await all(), '${EXPECTED}'))
  it('says what is outside of a function', async () => assert.match(await outer(), ${compiled}))
})
`
  })
  const output = await run(t, dir, ['mocha/bin/mocha.js', '--import=tsx', 'work.test.ts'])
  t.regex(output, /2 passing/)
})

test('ava runs inline functions', async (t) => {
  const dir = project(t, {
    'src/work.mjs': ESM,
    'work.test.mjs': `import test from 'ava'
import { all, outer } from './src/work.mjs'
test('results', async (t) => t.is(await all(), '${EXPECTED}'))
test('what is outside of a function', async (t) => t.regex(await outer(), ${outside}))
`
  })
  t.regex(await run(t, dir, ['ava/entrypoints/cli.mjs', '--timeout=60s']), /2 tests passed/)
})

test('node:test runs inline functions, with its coverage and its faked timers', async (t) => {
  const dir = project(t, {
    'src/work.cjs': CJS,
    'work.test.cjs': `const test = require('node:test')
const assert = require('node:assert')
const { all, outer } = require('./src/work.cjs')
test('results', async () => assert.strictEqual(await all(), '${EXPECTED}'))
test('with faked timers', async ({ mock }) => {
  mock.timers.enable()
  assert.strictEqual(await all(), '${EXPECTED}')
})
test('what is outside of a function', async () => assert.match(await outer(), ${outside}))
`
  })
  const output = await run(t, dir, ['--test', '--experimental-test-coverage', '--test-reporter=tap', 'work.test.cjs'])
  t.regex(output, /# pass 3/)
  t.regex(output, /work\.cjs +\| +\d/)
})

test('bun test runs inline functions', async (t) => {
  const dir = project(t, {
    'src/work.ts': ESM,
    'work.test.ts': `import { expect, test } from 'bun:test'
import { all, outer } from './src/work'
test('results', async () => expect(await all()).toBe('${EXPECTED}'), 60_000)
test('what is outside of a function', async () => expect(await outer()).toMatch(/outside of it|sep/), 60_000)
`
  })
  const bun = runtimes().find(({ kind }) => kind === 'bun').file
  const { stderr } = await promisify(execFile)(bun, ['test'], { cwd: path.resolve(dir), timeout: 110_000 })
  t.regex(stderr, /2 pass/)
})
