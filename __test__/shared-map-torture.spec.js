'use strict'

// A short one of `npm run torture:map`.

const path = require('node:path')
const test = require('ava')
const { node, root } = require('./helpers')

test('processes that are killed while they use maps tear, lose and leak nothing', async (t) => {
  const script = path.join(root, 'stress', 'torture-map.js')
  const args = ['--kills', '9', '--operations', '60000', '--processes', '3']
  const { code, signal, stdout, stderr } = await node([script, ...args], { timeout: 300_000 })
  t.is(code ?? signal, 0, stderr)
  t.regex(stdout, /good\n$/)
  t.notRegex(stdout, /NOT good/)
})
