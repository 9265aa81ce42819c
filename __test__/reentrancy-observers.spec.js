'use strict'

const test = require('ava')
const { LIMIT, play, exits } = require('./reentrancy/matrix')
const { places } = require('./reentrancy/observers')

test('a subscriber or a hook that calls a pool disturbs no call', async (t) => {
  t.timeout(LIMIT)
  t.deepEqual(await play('observers'), {})
})

test('a subscriber or a hook that exits ends the process with its code', async (t) => {
  t.timeout(LIMIT)
  t.deepEqual(await exits('observers', Object.keys(places)), {})
})
