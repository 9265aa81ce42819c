'use strict'

const { once } = require('node:events')
const { threadId } = require('node:worker_threads')
const test = require('ava')
const { Pool } = require('..')

const filename = new URL('data:text/javascript,export const ping = () => 1, exit = () => process.exit(7)')

test('workerCreate and workerExit name the same thread', async (t) => {
  const pool = new Pool({ filename, maxThreads: 1 })
  const creating = once(pool, 'workerCreate')
  await pool.runTask('ping')
  const [created] = await creating
  t.true(Number.isInteger(created.threadId) && created.threadId > threadId)
  const exited = once(pool, 'workerExit')
  await t.throwsAsync(pool.runTask('exit'), { code: 'ERR_RSPOOL_WORKER_EXIT' })
  t.deepEqual((await exited)[0], { ...created, exitCode: 7 })
  await pool.close()
})
