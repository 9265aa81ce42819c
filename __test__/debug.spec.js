'use strict'

// What NODE_DEBUG=rspool shows.

const test = require('ava')
const { program } = require('./helpers')

/** What a program writes to stderr, without the numbers that differ. */
async function shown(source, env = {}) {
  const { stderr } = await program(source, { env: { ...process.env, NODE_DEBUG: 'rspool', ...env } })
  const lines = stderr.split('\n').filter((line) => line.startsWith('RSPOOL '))
  return lines.map((line) => line.replace(/^RSPOOL \d+: /, '').replace(/worker \d+ \(thread \d+\)/, 'worker'))
}

test('how a pool and its isolates begin and end', async (t) => {
  const lines = await shown(`
    const pool = new rspool.Pool({ label: 'mine', maxThreads: 1, filename: fixture('tasks.js') })
    pool.ready().then(() => pool.run(1)).then(() => pool.close())`)
  t.deepEqual(lines, [
    'pool mine opens, with up to 1 workers',
    'pool mine: worker starts',
    'pool mine: worker is ready',
    'pool mine closes',
    'pool mine: worker has ended with exit code 0',
    'pool mine has ended'
  ])
})

test('why an isolate is ended', async (t) => {
  const lines = await shown(`
    const pool = new rspool.Pool({ label: 'mine', maxThreads: 1, abortGrace: 10 })
    const run = async () => {
      await pool.runTask(() => { for (;;); }, [], { timeout: 50 }).catch(() => {})
      await pool.runTask(() => { setImmediate(() => { throw new TypeError('left over') }); return new Promise(() => {}) }).catch(() => {})
      const begun = new Int32Array(new SharedArrayBuffer(4))
      const hangs = (cell) => {
        setTimeout(function leftover() { Atomics.store(cell, 0, 1); Atomics.notify(cell, 0); for (;;); }, 1)
      }
      await pool.runTask(hangs, [begun])
      // Neither that nor an idle pool keeps the program.
      const kept = setInterval(() => {}, 1000)
      await Atomics.waitAsync(begun, 0, 0).value
      clearInterval(kept)
      await pool.runTask((a) => a, [1], { queueTimeout: 50 }).catch(() => {})
      await pool.runTask((a) => a, [1])
      await pool.destroy()
    }
    run()`)
  const ends = lines.filter((line) => /is being ended|has ended with/.test(line))
  t.is(ends.length, 7, ends.join('\n'))
  t.is(ends[0], "pool mine: worker is being ended: its task was given up and had not stopped after 'abortGrace'")
  t.is(ends[1], 'pool mine: worker has ended with exit code 1')
  t.is(ends[2], 'pool mine: worker has ended with exit code 1: left over')
  t.regex(ends[3], /is being ended: it was rung \d+ ms ago, runs no task and does not come$/)
  t.is(ends[5], 'pool mine: worker is being ended: the pool was destroyed')
})

test('nothing where nobody asks', async (t) => {
  t.deepEqual(await shown('new rspool.Pool({ maxThreads: 1 }).runTask((a) => a, [1])', { NODE_DEBUG: '' }), [])
})
