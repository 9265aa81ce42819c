'use strict'

const test = require('ava')
const { runTask } = require('..')

test('a param of 64 bits is a number, a BigInt or digits', async (t) => {
  const hash = (seed) => runTask('hash.xxh3', 'abc', { params: { seed } })
  t.is(await hash(7n), await hash(7))
  t.is(await hash(2n ** 64n - 1n), await hash('0xffffffffffffffff'))
  t.not(await hash(2n ** 64n - 1n), await hash(7n))
  await t.throwsAsync(hash(2n ** 64n), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message: /seed/ })
})

test('a BigInt where a param is a number is refused by its name', async (t) => {
  await t.throwsAsync(runTask('compress.gzip', 'abc', { params: { level: 9n } }), {
    code: 'ERR_RSPOOL_INVALID_ARGUMENT',
    message: /level/
  })
})
