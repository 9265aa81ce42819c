'use strict'

const test = require('ava')
const { LIMIT, play, exits } = require('./reentrancy/matrix')
const { places } = require('./reentrancy/listeners')

test('a signal, a listener or an event that calls a pool disturbs no call', async (t) => {
  t.timeout(LIMIT)
  t.deepEqual(await play('listeners'), {})
})

test('a signal, a listener or an event that exits ends the process with its code', async (t) => {
  t.timeout(LIMIT)
  t.deepEqual(await exits('listeners', Object.keys(places)), {})
})
