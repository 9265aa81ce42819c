'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const test = require('ava')
const { failures, MOST } = require('../scripts/failures')
const { isMet } = require('../scripts/licences')
const { countTests, select } = require('../scripts/test')
const { findWaits } = require('../scripts/waits')

const allow = new Set(['MIT', 'Unicode-3.0', 'Apache-2.0 WITH LLVM-exception'])

for (const [expression, expected] of [
  ['MIT', true],
  ['GPL-3.0', false],
  ['', false],
  ['MIT OR GPL-3.0', true],
  ['GPL-3.0 OR MIT', true],
  ['GPL-3.0/MIT', true],
  ['MIT AND GPL-3.0', false],
  ['(MIT OR Apache-2.0) AND Unicode-3.0', true],
  ['(GPL-2.0 OR GPL-3.0) AND MIT', false],
  ['GPL-3.0 AND MIT OR MIT', true],
  ['Apache-2.0 WITH LLVM-exception', true],
  ['Apache-2.0', false],
  ['MIT)', false]
]) {
  test(`the licence '${expression}' is ${expected ? 'met' : 'refused'}`, (t) => {
    t.is(isMet(expression, allow), expected)
  })
}

test('the tests of cargo and ava are counted', (t) => {
  const cargo = 'test result: ok. 12 passed; 0 failed; 1 ignored\ntest result: FAILED. 3 passed; 2 failed; 0 ignored\n'
  t.deepEqual(countTests(cargo), { passed: 15, failed: 2 })
  t.deepEqual(countTests('  ✔ 3 tests passed in the title (2ms)\n  ─\n\n  1 test failed\n  40 tests passed\n'), {
    passed: 40,
    failed: 1
  })
})

/** What ava prints of these tests. */
function printedByAva(t, spec) {
  const root = path.join(__dirname, '..')
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-scripts-'))
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true }))
  fs.writeFileSync(path.join(dir, 'package.json'), '{}')
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(dir, 'node_modules'), 'junction')
  fs.writeFileSync(path.join(dir, 'some.test.js'), spec)
  const cli = path.join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs')
  // Without what this process has of the ava that runs it.
  const env = { PATH: process.env.PATH, NO_COLOR: '1', CI: 'true' }
  return spawnSync(process.execPath, [cli, '--no-worker-threads'], { cwd: dir, env, encoding: 'utf8' }).stdout
}

test('of a failing run of ava the failing tests are repeated, with what they say, and no other', (t) => {
  const printed = printedByAva(
    t,
    `const test = require('ava')
for (let i = 0; i < 200; i++) test('fine ' + i, (t) => t.pass())
test('breaks', (t) => t.is(1, 2, 'one is not two'))
test('throws', () => { throw new RangeError('out of range') })
test('fine at the end', (t) => t.pass())
`
  )
  const told = failures(printed).join('\n')
  for (const expected of ['✘ [fail]: breaks', 'one is not two', 'RangeError', 'out of range', '2 tests failed'])
    t.true(told.includes(expected), `${expected} is not in:\n${told}`)
  t.notRegex(told, /✔/)
})

test('of a failing run of cargo the failing tests are repeated, with what they say, and no other', (t) => {
  const printed = `running 3 tests
test a::holds ... ok
test a::breaks ... FAILED
failures:

---- a::breaks stdout ----
thread 'a::breaks' panicked at src/a.rs:5:9:
assertion failed: 1 == 2

failures:
    a::breaks

test result: FAILED. 1 passed; 1 failed; 0 ignored
     Running tests/b.rs
test b::holds ... ok
test result: ok. 1 passed; 0 failed; 0 ignored
error: test failed, to rerun pass \`--lib\`
`
  const told = failures(printed)
  t.true(told.includes('assertion failed: 1 == 2'))
  t.is(told.at(-1), 'error: test failed, to rerun pass `--lib`')
  t.false(told.some((line) => line.includes('holds')))
})

test('what fails without a word that is known is repeated from its end, and nothing beyond measure', (t) => {
  const lines = (from, to) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`)
  t.deepEqual(failures(lines(0, 1000).join('\n')), lines(1000 - MOST, 1000))
  const told = failures(['failures:', ...lines(0, 1000)].join('\n'))
  t.is(told.length, MOST + 1)
  t.is(told[0], 'failures:')
  t.is(told.at(-1), 'line 999')
})

test('parts are selected by name', (t) => {
  const parts = (...args) => [...new Set(select(args)?.map(({ part }) => part))]
  t.deepEqual(parts(), ['lint', 'rust', 'types', 'js'])
  t.deepEqual(parts('types', 'lint'), ['lint', 'types'])
})

test('arguments after js go to ava, and are refused elsewhere', (t) => {
  t.deepEqual(select(['js', '__test__/a.spec.js', '-s'])?.[0].args.slice(1), ['__test__/a.spec.js', '-s'])
  t.is(select(['rust', '--nocapture']), undefined)
  t.is(select(['--help']), undefined)
})

test('a spec that waits for a time to pass is found, and one that waits for an event is not', (t) => {
  const waiting = [
    `await new Promise((resolve) => ${'setTimeout'}(resolve, 50))`,
    `await ${'delay'}(10)`,
    `await ${'sleep'}(3500)`,
    `${'setTimeout'}(() => resolve(1), 5)`
  ]
  t.deepEqual(
    waiting.map((line) => findWaits(`'use strict'\n${line}\n`)),
    waiting.map((code) => [{ line: 2, code }])
  )
  const fine = [
    'await gate.arrival(2)',
    "await once(pool, 'close')",
    'await until(() => open === 1)',
    'await new Promise(setImmediate)'
  ]
  t.deepEqual(findWaits(fine.join('\n')), [])
})
