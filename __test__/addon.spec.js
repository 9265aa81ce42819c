'use strict'

const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const ts = require('typescript')
const { root, makePool } = require('./helpers')
const native = require('../lib/native/load')
const { bound } = require('../lib/native/environment')

/** The members of the interfaces in addon.d.ts. */
const declared = (() => {
  const file = path.join(root, 'lib/native/addon.d.ts')
  const source = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
  const interfaces = source.statements.filter(ts.isInterfaceDeclaration)
  return Object.fromEntries(
    interfaces.map(({ name, members }) => [name.text, members.map((member) => member.name.text).sort()])
  )
})()

const namesOf = (object) => Object.getOwnPropertyNames(object).filter((name) => name !== 'constructor')

test('the addon has what its declarations say, and nothing else', (t) => {
  t.deepEqual(Object.keys(native).sort(), declared.Addon)
  t.deepEqual(Object.keys(bound).sort(), declared.Environment)
  const pool = bound.createPool(0, 1, Infinity, 1, 0, 0, 0, false, Infinity, 1000)
  t.teardown(() => pool.release())
  t.deepEqual([...namesOf(pool), ...namesOf(Object.getPrototypeOf(pool))].sort(), declared.NativePool)
})

test('a pool that was released, and an object that is none, are told so', (t) => {
  const pool = bound.createPool(0, 1, Infinity, 1, 0, 0, 0, false, Infinity, 1000)
  const { load } = pool
  pool.release()
  pool.release()
  t.throws(() => pool.load(), { code: 'ERR_RSPOOL_INTERNAL', message: 'the pool has ended' })
  t.throws(() => load.call({}))
  t.throws(() => load.call(undefined))
  t.throws(() => new pool.constructor().load(), { code: 'ERR_RSPOOL_INTERNAL', message: 'expected a pool' })
})

test('a number that means nothing is refused, never taken for another', (t) => {
  const pool = bound.createPool(0, 1, Infinity, 1, 0, 0, 0, false, Infinity, 1000)
  t.teardown(() => pool.release())
  for (const lane of [2, -1, 0.5, NaN, 2 ** 32]) t.throws(() => pool.readyIds(lane), { code: 'ERR_RSPOOL_INTERNAL' })
  for (const worker of [-1, 0.5, NaN, 2 ** 32]) t.throws(() => pool.leave(worker), { code: 'ERR_RSPOOL_INTERNAL' })
  t.throws(() => pool.times(2, true), { code: 'ERR_RSPOOL_INTERNAL' })
})

test('two pools of one thread take their own tasks', async (t) => {
  const [one, two] = [makePool(t, { maxThreads: 1 }), makePool(t, { maxThreads: 1 })]
  await Promise.all([one.runTask((x) => x, 1), two.runTask((x) => x, 2)])
  t.is(one.stats().completed, 1)
  t.is(two.stats().completed, 1)
})
