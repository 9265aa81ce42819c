'use strict'

const test = require('ava')
const { COVERED, CJS, ESM, EXPECTED, coverageOf, project, run } = require('./projects')

const tests = (tool) => `
test('results', async () => expect(await all()).toBe('${EXPECTED}'))
test('with fake timers', async () => {
  jest.useFakeTimers()
  expect(await all()).toBe('${EXPECTED}')
  jest.useRealTimers()
})
test('what is outside of a function', async () => expect(await outer()).toMatch(${tool}))
`
const requiring = (file) => `const { all, outer } = require('${file}')\n`
const settings = (config) => JSON.stringify({ testTimeout: 60_000, coverageReporters: ['json-summary'], ...config })
const JEST = 'jest/bin/jest.js'

/** @param {import('ava').ExecutionContext} t @param {Record<string, string>} files @param {string[]} args */
async function jest(t, files, args) {
  const dir = project(t, files)
  const output = await run(t, dir, [JEST, ...args])
  t.regex(output, /Tests: +3 passed, 3 total/)
  return dir
}

const plain = {
  'jest.config.json': settings({}),
  'src/work.js': CJS,
  'work.test.js': requiring('./src/work.js') + tests(/uses 'sep'.* Pass it as input/)
}

test('jest runs inline functions', (t) => jest(t, plain, []))

test('jest runs inline functions that istanbul counts in, and covers what runs in its own thread', async (t) => {
  const dir = await jest(t, plain, ['--coverage'])
  t.is(coverageOf(dir, 'src/work.js').functions, COVERED)
})

test("jest runs inline functions under the engine's coverage", async (t) => {
  const dir = await jest(t, plain, ['--coverage', '--coverageProvider=v8'])
  t.regex(coverageOf(dir, 'src/work.js').statements, /^[1-9]/)
})

const typed = (config, transform) => ({
  'jest.config.json': settings({ transform: { '\\.ts$': transform } }),
  'tsconfig.json': JSON.stringify({
    compilerOptions: { module: 'commonjs', esModuleInterop: true, isolatedModules: true, ...config }
  }),
  'src/work.ts': ESM
})

for (const target of ['es2015', 'es2017', 'es2022']) {
  test(`ts-jest runs inline functions that TypeScript has compiled for ${target}, covered and not`, async (t) => {
    const files = {
      ...typed({ target }, ['ts-jest', { diagnostics: false }]),
      'work.test.ts': `import { all, outer } from './src/work'\n${tests(/node_path_1.*TypeScript/)}`
    }
    await jest(t, files, [])
    await jest(t, files, ['--coverage'])
  })
}

test('SWC under jest runs inline functions, covered and not', async (t) => {
  const files = {
    ...typed({}, ['@swc/jest', { jsc: { target: 'es2016' } }]),
    'work.test.ts': `import { all, outer } from './src/work'\n${tests(/_nodepath.*Babel or SWC/)}`
  }
  await jest(t, files, [])
  await jest(t, files, ['--coverage'])
})

const babel = (targets, body) => ({
  'jest.config.json': settings({}),
  'babel.config.json': JSON.stringify({ presets: [['@babel/preset-env', { targets }]] }),
  'src/work.js': ESM,
  'work.test.js': `import { all, outer } from './src/work'\n${body}`
})

test('Babel under jest runs inline functions that it has compiled for this Node.js', (t) =>
  jest(t, babel({ node: 'current' }, tests(/_nodePath.*Babel or SWC/)), ['--coverage']))

test('Babel under jest is named where it takes async functions apart for old engines', async (t) => {
  const refused = `test('waits', () => expect(all()).rejects.toThrow(/'_ref'.*Babel.*compile for the Node.js that runs/))`
  const dir = project(t, babel({ node: '6' }, refused))
  t.regex(await run(t, dir, [JEST]), /Tests: +1 passed, 1 total/)
})
