'use strict'

const test = require('ava')
const { LIMIT, play, exits } = require('./reentrancy/matrix')
const { places } = require('./reentrancy/values')

test('a getter, an iterator or an option that calls a pool disturbs no call', async (t) => {
  t.timeout(LIMIT)
  t.deepEqual(await play('values'), {})
})

test('a getter, an iterator or an option that exits ends the process with its code', async (t) => {
  t.timeout(LIMIT)
  t.deepEqual(await exits('values', Object.keys(places)), {})
})
