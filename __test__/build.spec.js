'use strict'

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const test = require('ava')
const { isOlder } = require('../lib/cli/build-addon')

const rspool = path.join(__dirname, '..', 'lib', 'cli', 'main.js')

/** @param {Record<string, string>} tools name to shell script */
function buildWith(t, tools) {
  const bin = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-build-test-'))
  t.teardown(() => fs.rmSync(bin, { recursive: true, force: true }))
  for (const [name, line] of Object.entries(tools)) {
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 })
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [rspool, 'build'], { env: { ...process.env, PATH: bin } }, (error, stdout, stderr) => {
      resolve({ exitCode: error?.code ?? 0, stderr })
    })
  })
}

const onUnix = process.platform === 'win32' ? test.skip : test

onUnix('says what to install when there is no cargo', async (t) => {
  const { exitCode, stderr } = await buildWith(t, {})
  t.is(exitCode, 1)
  t.regex(stderr, /needs Rust \d+\.\d+ or newer, and cargo was not found\. Install it from https:\/\/rustup\.rs/)
  t.notRegex(stderr, /at .*build-addon\.js/)
})

onUnix('says so when the toolchain is too old', async (t) => {
  const { exitCode, stderr } = await buildWith(t, { cargo: 'echo cargo 1.95.0', rustc: 'echo rustc 1.70.0' })
  t.is(exitCode, 1)
  t.regex(stderr, /rustc is 1\.70\.0\. Run: rustup update stable/)
})

onUnix('fails when cargo fails', async (t) => {
  const { exitCode, stderr } = await buildWith(t, {
    cargo: 'test "$1" = --version && echo cargo 99.0.0 || exit 101',
    rustc: 'echo rustc 99.0.0'
  })
  t.is(exitCode, 1)
  t.regex(stderr, /cargo build failed \(exit code 101\)/)
})

test('versions compare by number', (t) => {
  t.true(isOlder('1.94.9', '1.95'))
  t.true(isOlder('1.9.0', '1.10'))
  t.false(isOlder('1.95.0', '1.95'))
  t.false(isOlder('2.0.0', '1.95'))
  t.false(isOlder('1.95.1', '1.95.1'))
})
