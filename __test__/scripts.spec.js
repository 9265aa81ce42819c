'use strict'

const test = require('ava')
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
