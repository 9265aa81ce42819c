'use strict'

const test = require('ava')
const { LIMIT, play } = require('./reentrancy/matrix')

test('a replaced built-in that calls a pool disturbs no call', async (t) => {
  t.timeout(LIMIT)
  t.deepEqual(await play('builtins'), {})
})
