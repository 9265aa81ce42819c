'use strict'

// The recipes run as they are shown, with the packages that they name.

const test = require('ava')
const { runExamples } = require('../examples')

test('the recipes run', async (t) => {
  t.timeout(600_000)
  await runExamples(t, 'docs/recipes.md')
})
