'use strict'

const test = require('ava')
const { LIMIT, play } = require('./reentrancy/matrix')

test('a result, an error or a thenable of a task that calls a pool disturbs no call', async (t) => {
  t.timeout(LIMIT)
  t.deepEqual(await play('workers'), {})
})
