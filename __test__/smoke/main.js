'use strict'

// One of each: what every runtime must do. Plain assertions, since test runners are not on all of them.

const assert = require('node:assert')
const crypto = require('node:crypto')
const path = require('node:path')
const rspool = require('../../index.js')

const filename = path.join(__dirname, 'script.js')
const text = 'the quick brown fox'.repeat(1000)
const sha256 = crypto.createHash('sha256').update(text).digest()

const checks = {
  async 'a native task on the default pool'() {
    assert.deepStrictEqual(Buffer.from(await rspool.runTask('hash.sha256', text)), sha256)
    assert.deepStrictEqual(Buffer.from(await rspool.tasks.hash.sha256(Buffer.from(text))), sha256)
  },

  async 'a script, its named exports and its errors'() {
    const pool = new rspool.Pool({ filename, maxThreads: 2 })
    assert.strictEqual(await pool.run({ a: 4, b: 6 }), 10)
    assert.strictEqual(await pool.runTask('where', null), true)
    const squares = await Promise.all(Array.from({ length: 1000 }, (_, n) => pool.runTask('square', n)))
    assert.deepStrictEqual(
      squares,
      Array.from({ length: 1000 }, (_, n) => n * n)
    )
    await assert.rejects(pool.runTask('fail', null), { name: 'RangeError', message: 'out of range', code: 'E_RANGE' })
    await pool.close()
    await assert.rejects(pool.run({ a: 1, b: 2 }), { code: 'ERR_RSPOOL_POOL_CLOSED' })
  },

  async 'an inline function'() {
    const pool = new rspool.Pool({ maxThreads: 1 })
    assert.strictEqual(await pool.runTask((a, b) => a * b, [6, 7]), 42)
    await pool.close()
  },

  async 'an abort of either kind of task'() {
    const pool = new rspool.Pool({ maxThreads: 1 })
    for (const [task, input] of [
      ['math.countPrimes', 4_000_000_000],
      [() => new Promise(() => {}), []]
    ]) {
      const controller = new AbortController()
      const pending = pool.runTask(task, input, { signal: controller.signal })
      controller.abort()
      await assert.rejects(pending, { name: 'AbortError', code: 'ABORT_ERR' })
    }
    await pool.close()
  },

  async 'a pool ended in the middle'() {
    const pool = new rspool.Pool({ filename, maxThreads: 2 })
    const pending = Array.from({ length: 100 }, () => pool.runTask(() => new Promise(() => {}), []))
    const outcomes = Promise.allSettled(pending)
    await pool.destroy()
    for (const { reason } of await outcomes) assert.strictEqual(reason.code, 'ERR_RSPOOL_POOL_CLOSED')
  }
}

async function main() {
  // A promise that never settles must not look like success.
  process.exitCode = 1
  for (const [title, check] of Object.entries(checks)) {
    await check()
    console.log(`ok: ${title}`)
  }
  // The process has to end by itself, with an idle pool left open.
  process.exitCode = 0
}

main()
