'use strict'

const path = require('node:path')
const { createHash } = require('node:crypto')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { serial: test } = require('ava')
const { freePort, request } = require('./cluster/harness')

test('the example serves, hashes in the pool, tells its status and drains', async (t) => {
  const port = await freePort()
  const child = spawn(process.execPath, [path.join(__dirname, '../examples/cluster-http.js')], {
    env: { ...process.env, PORT: String(port), PROCESSES: '2' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const closed = once(child, 'close')
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  while (!said.includes('2 processes at')) await once(child.stdout, 'data')
  const body = Buffer.alloc(100_000, 'a')
  const answers = await Promise.all(Array.from({ length: 6 }, () => request(port, '/', { method: 'POST', body })))
  for (const answer of answers) t.is(answer.body.split(' ')[0], createHash('sha256').update(body).digest('hex'))
  const status = JSON.parse((await request(port, '/status')).body)
  t.is(status.counters.requests, 7)
  t.is(status.ready, 2)
  child.kill('SIGTERM')
  t.deepEqual(await closed, [0, null])
  t.is(said.match(/has answered everything/g).length, 2)
})
