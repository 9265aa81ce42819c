'use strict'

// Each method of the language, and many of Node.js, is replaced by one that runs tasks itself: whatever of them is called
// in the middle of other calls, each call gets its own value.

const { isDeepStrictEqual, inspect } = require('node:util')
const test = require('ava')
const { values } = require('./fixtures/built-ins')
const { fixture, makePool, node } = require('./helpers')

const LIMIT = 600_000

test('methods that a program has replaced by others that run tasks give no call the value of another', async (t) => {
  t.timeout(LIMIT)
  const { stdout, stderr, code } = await node([fixture('owner-replaces.js')], { timeout: LIMIT - 10_000 })
  t.is(code, 0, stderr)
  const { methods, reached, problems } = JSON.parse(stdout)
  t.deepEqual(problems, [])
  t.true(methods > 400 && reached > 10, `${reached} of ${methods}`)
})

for (const concurrentTasksPerWorker of [1, 4]) {
  test(`methods that a script has replaced give no task the value of another, with ${concurrentTasksPerWorker} at once`, async (t) => {
    t.timeout(LIMIT)
    const pool = makePool(t, { filename: fixture('replaces-built-ins.js'), maxThreads: 1, concurrentTasksPerWorker })
    await pool.runTask('begin')
    const count = await pool.runTask('count')
    let reached = 0
    for (let i = 0; i < count; i++) {
      const name = await pool.runTask('replace', i)
      const wrong = []
      const calls = []
      for (const task of ['default', 'later', 'itself'])
        for (const value of values())
          calls.push(
            pool.run(value, { name: task }).then((got) => {
              if (!isDeepStrictEqual(got, value)) wrong.push(`${task} of ${inspect(value)} gave ${inspect(got)}`)
            })
          )
      for (const x of [1, 2])
        calls.push(
          pool.runTask('fails', x).catch((error) => {
            if (error.x !== x || error.detail?.y !== x) wrong.push(`fails gave ${inspect(error)}`)
          })
        )
      for (const { reason } of await Promise.allSettled(calls)) if (reason !== undefined) wrong.push(inspect(reason))
      const [acted, problems] = await pool.runTask('putBack')
      if (acted > 0) reached++
      if (wrong.length > 0 || problems.length > 0) t.fail(`${name}: ${[...wrong, ...problems].slice(0, 5).join('\n')}`)
    }
    t.true(reached > 10, `${reached}`)
  })
}
