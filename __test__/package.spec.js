'use strict'

const test = require('ava')
const lock = require('../package-lock.json')
const manifest = require('../package.json')

test('the lock file carries no download address', (t) => {
  const packages = Object.entries(lock.packages)
  t.true(packages.length > 100)
  t.deepEqual(
    packages.filter(([, entry]) => 'resolved' in entry).map(([name]) => name),
    []
  )
})

test('the lock file belongs to this version', (t) => {
  t.is(lock.packages[''].version, manifest.version)
})
