'use strict'

const test = require('ava')
const { LIMIT, play, exits } = require('./reentrancy/matrix')
const { places } = require('./reentrancy/engine')

test('a reaction or an accessor that calls a pool disturbs no call', async (t) => {
  t.timeout(LIMIT)
  t.deepEqual(await play('engine'), {})
})

test('a reaction or an accessor that exits ends the process with its code', async (t) => {
  t.timeout(LIMIT)
  t.deepEqual(await exits('engine', Object.keys(places)), {})
})
