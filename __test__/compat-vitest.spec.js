'use strict'

const path = require('node:path')
const test = require('ava')
const { directory, fixture, node, root } = require('./helpers')

const source = `import { expect, test } from 'vitest'
import usePools from ${JSON.stringify(fixture('compat/body.js'))}
for (const n of [1, 2]) test('pools left open ' + n, async () => expect(await usePools()).toBe(usePools.expected))`

for (const pool of ['forks', 'threads']) {
  test(`vitest with ${pool} ends by itself with pools left open`, async (t) => {
    const dir = directory(t, { 'package.json': '{ "type": "module" }', 'a.test.js': source, 'b.test.js': source })
    require('node:fs').symlinkSync(path.join(root, 'node_modules'), path.join(dir, 'node_modules'))
    const args = [path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', dir, '--pool', pool]
    const { code, signal, stdout, stderr } = await node([...args, '--testTimeout=40000', '--no-cache'], {
      cwd: dir,
      env: { ...process.env, NO_COLOR: '1', CI: '1' }
    })
    t.is(signal, null, stdout + stderr)
    t.regex(stdout, /Tests +4 passed/, stdout + stderr)
    t.notRegex(stdout + stderr, /hanging|Unhandled|did not/i)
    t.is(code, 0)
  })
}
