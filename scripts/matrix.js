'use strict'

// `npm run test:matrix`: the JS tests on each supported Node.js, and the smoke test on Bun and Deno too.
// With --smoke, the smoke test only.

const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { orExit } = require('../lib/cli/build-addon')
const { runtimes } = require('./runtimes')
const { setup, root } = require('./setup')

const smokeOnly = process.argv.includes('--smoke')
const smoke = path.join(root, '__test__', 'smoke', 'main.js')
const ava = path.join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs')

/** @param {import('./runtimes').Runtime} runtime @param {string[]} args */
function run(runtime, args) {
  const { status, signal } = spawnSync(runtime.file, [...runtime.args, ...args], {
    cwd: root,
    // A `node` that a test starts by name is the same Node.js.
    env: { ...process.env, PATH: `${path.dirname(runtime.file)}${path.delimiter}${process.env.PATH}` },
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: smokeOnly ? 60_000 : 20 * 60_000
  })
  if (status !== 0) console.error(`${runtime.name} ended with ${signal ?? `exit code ${status}`}`)
  return status === 0
}

setup()
orExit(() => {
  const failed = []
  for (const runtime of runtimes()) {
    console.log(`\n=== ${runtime.name}: smoke`)
    if (!run(runtime, [smoke])) failed.push(`${runtime.name}: smoke`)
    if (smokeOnly || runtime.kind !== 'node') continue
    console.log(`\n=== ${runtime.name}: ava`)
    if (!run(runtime, [ava])) failed.push(`${runtime.name}: ava`)
  }
  console.log(failed.length > 0 ? `\nFailed: ${failed.join(', ')}` : '\nEvery runtime passed')
  process.exit(failed.length > 0 ? 1 : 0)
})
