'use strict'

// The package as attw (do the types fit what is imported?) and publint see it.

const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const manifest = require('../../package.json')
const { node, root } = require('../helpers')
const { archiveOf, tool } = require('./packages')

const stores = fs
  .readdirSync(path.join(root, 'lib/stores'))
  .flatMap((file) => (file.endsWith('.d.ts') ? [path.basename(file, '.d.ts')] : []))

test('attw finds nothing in any entry', async (t) => {
  t.timeout(300_000)
  const named = Object.entries(manifest.exports).filter(([name, to]) => to?.types !== undefined && !name.includes('*'))
  const entries = [...named.map(([name]) => name), ...stores.map((store) => `./stores/${store}`)]
  const args = [
    tool('@arethetypeswrong/cli/dist/index.js'),
    archiveOf('rspool'),
    '--format',
    'json',
    '--profile',
    'node16'
  ]
  const { code, stdout, stderr } = await node([...args, '--entrypoints', ...entries], {
    timeout: 280_000,
    maxBuffer: Infinity
  })
  const { analysis } = JSON.parse(stdout)
  // What knows no exports at all (`moduleResolution: node10`) finds the main entry alone.
  const problems = analysis.problems.filter(({ resolutionKind }) => resolutionKind !== 'node10')
  t.deepEqual(problems, [], stderr)
  t.is(Object.keys(analysis.entrypoints).length, entries.length)
  t.is(code, 0)
})

test('publint finds nothing', async (t) => {
  const { publint } = await import(tool('publint/src/index-node.js'))
  const tarball = new Uint8Array(fs.readFileSync(archiveOf('rspool'))).buffer
  const { messages } = await publint({ pack: { tarball }, strict: true })
  t.deepEqual(messages, [])
})
