'use strict'

// The package where its platform has no prebuilt one.

const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const { node, root } = require('../helpers')
const { TUPLE, app } = require('./packages')

test('the package says what to do without an addon, and that builds one', async (t) => {
  // Cargo may have to fetch.
  t.timeout(1_200_000)
  const program = "require('rspool').runTask('hash.crc32', 'x').then(console.log)"
  const dir = app(t, { 'app.js': program }, ['rspool'])
  const rspool = path.join(dir, 'node_modules/rspool')
  const before = await node(['app.js'], { cwd: dir })
  t.is(before.code, 1)
  for (const part of ['ERR_RSPOOL_NATIVE_NOT_FOUND', 'npx rspool build']) t.true(before.stderr.includes(part))

  // Quick to build instead of quick to run.
  const quick = {
    CARGO_PROFILE_RELEASE_LTO: 'off',
    CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16'
  }
  const env = { ...process.env, ...quick, CARGO_TARGET_DIR: path.join(root, 'target', 'from-source') }
  const built = await node([path.join(rspool, 'lib/cli/main.js'), 'build', '--', '--locked'], {
    cwd: dir,
    env,
    timeout: 1_190_000
  })
  t.is(built.code, 0, built.stderr)
  t.true(fs.existsSync(path.join(rspool, `rspool.${TUPLE}.node`)))
  const after = await node(['app.js'], { cwd: dir })
  t.is(after.stdout.trim(), String(0x8cdc1683), after.stderr)
})
