'use strict'

const test = require('ava')
const { execFileSync } = require('node:child_process')
const path = require('node:path')

test('the demo of the fleet loses nothing when a machine is killed', (t) => {
  const main = path.join(__dirname, '../../examples/fleet/main.js')
  const output = execFileSync(process.execPath, [main], { encoding: 'utf8' })
  t.regex(output, /machine 1 +killed/)
  t.regex(output, /60 results, all right; none lost/)
})
