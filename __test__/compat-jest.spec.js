'use strict'

const path = require('node:path')
const test = require('ava')
const { directory, fixture, node, root } = require('./helpers')

const source = `const usePools = require(${JSON.stringify(fixture('compat/body.js'))})
for (const n of [1, 2]) test('pools left open ' + n, async () => expect(await usePools()).toBe(usePools.expected))
test('jest knows no open handles of its own errors', async () => {
  const { runTask } = require(${JSON.stringify(path.join(root, 'index.js'))})
  await expect(runTask('no.such')).rejects.toMatchObject({ code: 'ERR_RSPOOL_UNKNOWN_TASK' })
})`

/** @param {import('ava').ExecutionContext} t @param {string[]} args */
async function jest(t, args) {
  const dir = directory(t, {
    'package.json': JSON.stringify({
      jest: { testEnvironment: 'node', transform: {}, testTimeout: 40_000, workerGracefulExitTimeout: 40_000 }
    }),
    'a.test.js': source,
    'b.test.js': source
  })
  const { code, signal, stderr } = await node(
    [path.join(root, 'node_modules/jest/bin/jest.js'), '--rootDir', dir, ...args],
    {
      cwd: dir,
      env: { ...process.env, NO_COLOR: '1', CI: '1' }
    }
  )
  t.is(signal, null, stderr)
  t.regex(stderr, /Tests: +6 passed, 6 total/, stderr)
  t.notRegex(stderr, /did not exit|failed to exit|force exited|open handle/)
  t.is(code, 0)
}

test('jest in band ends by itself with pools left open', (t) => jest(t, ['--runInBand']))

test('jest in band finds no open handles', (t) => jest(t, ['--runInBand', '--detectOpenHandles']))

test('jest with forked workers ends by itself with pools left open', (t) => jest(t, ['--maxWorkers=2']))

test('jest with worker threads ends by itself with pools left open', (t) =>
  jest(t, ['--maxWorkers=2', '--workerThreads']))
