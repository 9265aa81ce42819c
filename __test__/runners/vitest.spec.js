'use strict'

const test = require('ava')
const { COVERED, ESM, EXPECTED, coverageOf, project, run } = require('./projects')

const files = {
  'vitest.config.mjs': 'export default { test: { testTimeout: 60_000, watch: false } }',
  'src/work.ts': ESM,
  'work.test.ts': `import { expect, test, vi } from 'vitest'
import { all, outer } from './src/work'
test('results', async () => expect(await all()).toBe('${EXPECTED}'))
test('with fake timers', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'setImmediate', 'Date', 'performance', 'queueMicrotask'] })
  expect(await all()).toBe('${EXPECTED}')
  vi.useRealTimers()
})
test('what is outside of a function', async () => expect(await outer()).toMatch(/__vi.*vitest.*import it inside/))
`
}

/** @param {import('ava').ExecutionContext} t @param {string[]} args */
async function vitest(t, args) {
  const dir = project(t, files)
  const output = await run(t, dir, ['vitest/vitest.mjs', 'run', '--root', dir, ...args])
  t.regex(output, /Tests +3 passed/)
  return dir
}

for (const pool of ['threads', 'forks', 'vmThreads']) {
  test(`vitest with ${pool} runs inline functions`, (t) => vitest(t, ['--pool', pool]))
}

for (const provider of ['istanbul', 'v8']) {
  test(`vitest runs inline functions under the coverage of ${provider}`, async (t) => {
    const options = ['enabled', `provider=${provider}`, 'reporter=json-summary', 'include=src/**']
    const dir = await vitest(
      t,
      options.map((option) => `--coverage.${option}`)
    )
    t.is(coverageOf(dir, 'src/work.ts').functions, COVERED)
  })
}
