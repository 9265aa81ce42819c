'use strict'

// What has once upset a decoder is replayed, and some that is new is tried. More of it: `npm run proof -- fuzz`.

const path = require('node:path')
const test = require('ava')
const { node, root } = require('./helpers')

const main = path.join(root, 'proof', 'fuzz', 'main.js')

for (const target of ['payload', 'messages', 'params', 'map']) {
  test(`nothing that is made up upsets what takes ${target}`, async (t) => {
    const { code, signal, stdout, stderr } = await node(['--max-old-space-size=300', main, target, '500'])
    t.is(code ?? signal, 0, stderr)
    t.regex(stdout, new RegExp(`^${target}: \\d+ of the corpus and 500 mutations`))
  })
}
