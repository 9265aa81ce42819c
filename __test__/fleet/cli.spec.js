'use strict'

const test = require('ava')

const { spawn } = require('node:child_process')
const { randomUUID } = require('node:crypto')
const { once } = require('node:events')
const path = require('node:path')
const { Fleet } = require('../../fleet')
const { Redis, freePort } = require('./servers')
const { until } = require('./conformance')

const MAIN = path.join(__dirname, '../../lib/cli/main.js')

// An engine that was killed leaves clients behind that would try again for ever.
import('ava').then(({ registerCompletionHandler }) => registerCompletionHandler(() => process.exit()))

/** @type {{ url: string, stop: () => Promise<void> }} */
let redis
test.before(async () => {
  redis = await Redis.start()
})
test.after.always(() => redis?.stop())

/** @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
function rspool(args, env = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  return { child, said: () => said, exited: once(child, 'exit').then(([code]) => code) }
}

test('a worker machine needs no file but the script of its tasks', async (t) => {
  const queue = `cli-${randomUUID()}`
  const port = await freePort()
  const script = path.join(__dirname, '../../examples/fleet/tasks.js')
  const args = ['work', script, '--queue', queue, '--threads', '1', '--metrics-port', String(port)]
  const { child, said, exited } = rspool(args, { REDIS_URL: redis.url })
  t.teardown(() => child.kill('SIGKILL'))
  await until(async () => said().includes('works for'))
  t.regex(said(), /primes/)
  const fleet = new Fleet(queue, { connection: redis.url })
  t.is(await fleet.runTask('primes', 10), 4)
  t.is((await fetch(`http://127.0.0.1:${port}/ready`)).status, 200)
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  t.regex(metrics, /^rspool_fleet_started_total\{.*\} 1$/m)
  t.regex(metrics, /^rspool_fleet_wanted_workers\{.*\} 0$/m)
  child.kill('SIGTERM')
  t.is(await exited, 0)
  await fleet.close()
})

test('a worker machine that cannot know its fleet says what is missing', async (t) => {
  const { said, exited } = rspool(['work', 'x.js', '--queue', 'q'], { REDIS_URL: undefined, DATABASE_URL: undefined })
  t.is(await exited, 64)
  t.regex(said(), /REDIS_URL/)
  const other = rspool(['work', 'x.js'])
  t.is(await other.exited, 64)
  t.regex(other.said(), /--queue/)
})
