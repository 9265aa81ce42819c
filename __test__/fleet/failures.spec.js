'use strict'

// What becomes of tasks when machines, engines and networks fail. Each test has a fleet and machines of its own.
// RSPOOL_FULL has them done as often as the guarantees were measured.

const test = require('ava')

const { randomUUID } = require('node:crypto')
const { execFileSync, spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Fleet } = require('../../fleet')
const { logFile, written, until, FILENAME, TASKS } = require('./conformance')
const { startMachine, end, spans } = require('./machines')
const { Redis, Network } = require('./servers')

const full = process.env.RSPOOL_FULL !== undefined
const often = (/** @type {number} */ usual, /** @type {number} */ most) => (full ? most : usual)

// An engine that was killed leaves clients behind that would try again for ever.
import('ava').then(({ registerCompletionHandler }) => registerCompletionHandler(() => process.exit()))

/** @type {Redis} */
let redis
test.before(async () => {
  redis = /** @type {Redis} */ (await Redis.start({ persist: true }))
})
test.after.always(() => redis?.stop())

/** @param {object} [options] */
function open(options) {
  const name = `failures-${randomUUID()}`
  return { name, connection: redis.url, fleet: new Fleet(name, { connection: redis.url, ...options }) }
}

const LOCK = 1000

test.serial('a task that blocks its thread for four locks runs once', async (t) => {
  const { fleet } = open()
  const count = often(8, 20)
  const work = fleet.work({ pool: { filename: FILENAME, maxThreads: count }, tasks: TASKS, lockDuration: LOCK })
  await work.ready
  const results = await Promise.all(Array.from({ length: count }, () => fleet.runTask('block', 4 * LOCK)))
  t.deepEqual(results, new Array(count).fill(4 * LOCK))
  const { started, leasesOver, locksLost } = await work.stats()
  t.deepEqual({ started, leasesOver, locksLost }, { started: count, leasesOver: 0, locksLost: 0 })
  await fleet.close()
})

test.serial('a program that blocks its own event loop loses no lock of its worker', async (t) => {
  const { fleet } = open()
  const work = fleet.work({ pool: { filename: FILENAME, maxThreads: 4 }, tasks: TASKS, lockDuration: LOCK })
  await work.ready
  const all = Array.from({ length: 100 }, () => fleet.runTask('block', 60))
  await until(async () => (await fleet.stats()).running > 0)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * LOCK)
  t.is((await Promise.all(all)).length, 100)
  const { started, locksLost, leasesOver } = await work.stats()
  t.deepEqual({ started, locksLost, leasesOver }, { started: 100, locksLost: 0, leasesOver: 0 })
  await fleet.close()
})

test.serial('two machines are never at work on one task when the network of the first is silent', async (t) => {
  for (let round = 0; round < often(5, 50); round++) {
    const { fleet, name, connection } = open()
    const network = await Network.start(redis.port)
    const options = { lockDuration: LOCK }
    const first = await startMachine({ name, connection: network.url, options, pool: { maxThreads: 1 } })
    const log = logFile()
    const task = fleet.runTask('hold', { ms: 6 * LOCK, log }, { retries: 3 })
    await written(log, /start/)
    // At any moment between two renewals.
    const moment = Date.now() + Math.random() * LOCK
    await until(async () => Date.now() >= moment)
    network.swallows = true
    const cut = Date.now()
    const second = await startMachine({ name, connection, options, pool: { maxThreads: 1 } })
    // The second start is in a process of its own: the first may have ended its process.
    await written(log, /start(.*\n)*start/)
    await fleet.close()
    task.catch(() => {})
    await end(first, 'SIGKILL')
    await end(second, 'SIGKILL')
    network.stop()
    const [one, two] = spans(fs.readFileSync(log, 'utf8'))
    t.true(one.to <= two.from, `${one.to - two.from} ms of overlap`)
    t.true(one.to - cut <= LOCK, `the first went on for ${one.to - cut} ms`)
  }
})

test.serial('a task whose lock is deleted ends soon, though it looks at nothing', async (t) => {
  const { fleet, name } = open()
  const work = fleet.work({
    pool: { filename: FILENAME, maxThreads: 1, abortGrace: 50 },
    tasks: TASKS,
    lockDuration: LOCK
  })
  await work.ready
  const { Redis: Client } = require('ioredis')
  const client = new Client(redis.url)
  const log = logFile()
  const id = await fleet.send('hold', { ms: 60_000, log }, { retries: 0 })
  await written(log, /start/)
  t.is(await client.del(`{rspool}:${name}:${id}:lock`), 1)
  await until(async () => (await work.stats()).locksLost + (await work.stats()).leasesOver > 0)
  const { length } = fs.readFileSync(log, 'utf8')
  // The worker is free for the next task, and the log has stopped growing.
  t.is(await fleet.runTask('add', { a: 1, b: 1 }), 2)
  t.true(fs.readFileSync(log, 'utf8').length - length < 20 * 60)
  client.disconnect()
  await fleet.close()
})

test.serial('kills of random workers lose no task, and give no result twice', async (t) => {
  const { fleet, name, connection } = open()
  const settings = { name, connection, options: { lockDuration: LOCK } }
  const machines = await Promise.all(Array.from({ length: 3 }, () => startMachine(settings)))
  const count = often(300, 2000)
  const inputs = Array.from({ length: count }, (_, i) => i)
  let settled = 0
  const results = inputs.map(async (i) => {
    const value = await fleet.runTask('echo', i, { retries: 20 })
    settled++
    return value
  })
  const all = Promise.all(results)
  for (let kills = 0; kills < often(4, 30) && settled < count; kills++) {
    const before = settled
    await until(async () => settled > before || settled === count)
    const victim = Math.floor(Math.random() * machines.length)
    await end(machines[victim], 'SIGKILL')
    machines[victim] = await startMachine(settings)
  }
  t.deepEqual(await all, inputs)
  t.is(settled, count)
  await Promise.all(machines.map((machine) => end(machine, 'SIGTERM')))
  await fleet.close()
})

test.serial('a task that ends its process harms no other, and its error says how', async (t) => {
  const { fleet, name, connection } = open()
  const settings = { name, connection, options: { lockDuration: LOCK } }
  let lost = 0
  const machines = await Promise.all([1, 2].map(() => startMachine(settings)))
  const keep = (/** @type {number} */ i) => {
    machines[i].on('exit', async (_, signal) => {
      if (signal !== 'SIGKILL') return
      lost++
      machines[i] = await startMachine(settings)
      keep(i)
    })
  }
  keep(0)
  keep(1)
  const count = often(60, 200)
  const innocent = Array.from({ length: count }, (_, i) => fleet.runTask('echo', i, { retries: 5 }))
  const poison = fleet.runTask('die', undefined, { retries: 3 })
  const error = await t.throwsAsync(() => poison)
  t.regex(error.message, /SIGKILL/)
  t.deepEqual(
    await Promise.all(innocent),
    Array.from({ length: count }, (_, i) => i)
  )
  t.true(lost <= 2, `${lost} machines were lost`)
  for (const machine of machines) machine.removeAllListeners('exit')
  await Promise.all(machines.map((machine) => end(machine, 'SIGTERM')))
  await fleet.close()
})

test.serial('a task without retries whose worker is lost is told so, and is not started again', async (t) => {
  const { fleet, name, connection } = open()
  const settings = { name, connection, options: { lockDuration: LOCK } }
  const machine = await startMachine(settings)
  const log = logFile()
  const task = fleet.runTask('hold', { ms: 60_000, log })
  await written(log, /start/)
  await end(machine, 'SIGKILL')
  const other = await startMachine(settings)
  await t.throwsAsync(() => task, { code: 'ERR_RSPOOL_WORKER_LOST' })
  t.is(fs.readFileSync(log, 'utf8').match(/start/g)?.length, 1)
  await end(other, 'SIGTERM')
  await fleet.close()
})

test.serial('a machine that is told to end finishes or gives back, and no caller sees an error', async (t) => {
  const { fleet, name, connection } = open()
  const settings = { name, connection, options: { lockDuration: LOCK, grace: 500 } }
  let machine = await startMachine(settings)
  const inputs = Array.from({ length: often(200, 1000) }, (_, i) => i)
  let settled = 0
  const results = Promise.all(inputs.map((i) => fleet.runTask('echo', i).finally(() => settled++)))
  for (let deploys = 0; deploys < often(4, 20) && settled < inputs.length; deploys++) {
    const next = await startMachine(settings)
    await end(machine, 'SIGTERM')
    machine = next
  }
  t.deepEqual(await results, inputs)
  await end(machine, 'SIGTERM')
  await fleet.close()
})

test.serial('kills of the engine lose no acknowledged task, and calls meanwhile fail at once', async (t) => {
  const { fleet, name, connection } = open()
  const machine = await startMachine({ name, connection, options: { lockDuration: 2 * LOCK } })
  const ids = []
  for (let round = 0; round < often(3, 10); round++) {
    for (let i = 0; i < 20; i++) ids.push(await fleet.send('echo', ids.length, { retries: 10 }))
    await redis.kill()
    await t.throwsAsync(() => fleet.send('echo', 0), { code: 'ERR_RSPOOL_ENGINE' })
    await redis.up()
    await until(async () =>
      fleet.stats().then(
        () => true,
        () => false
      )
    )
  }
  const results = await Promise.all(ids.map((id) => fleet.result(id)))
  t.deepEqual(
    results,
    ids.map((_, i) => i)
  )
  await end(machine, 'SIGTERM')
  await fleet.close()
})

test.serial('calls settle though the stream of their events is cut short and its connection killed', async (t) => {
  const { fleet, name, connection } = open()
  const machine = await startMachine({ name, connection })
  const { Redis: Client } = require('ioredis')
  const client = new Client(redis.url)
  const count = often(500, 10_000)
  const inputs = Array.from({ length: count }, (_, i) => i)
  const results = Promise.all(inputs.map((i) => fleet.runTask('echo', i)))
  for (let i = 0; i < 5; i++) {
    const streams = await client.keys(`{rspool}:${name}-to-*:events`)
    for (const stream of streams) await client.xtrim(stream, 'MAXLEN', 10)
    const list = /** @type {string} */ (await client.client('LIST'))
    const blocked = list.split('\n').filter((line) => /cmd=xread\b/.test(line))
    for (const line of blocked) await client.client('KILL', 'ID', /\bid=(\d+)/.exec(line)?.[1] ?? '').catch(() => {})
  }
  t.deepEqual(await results, inputs)
  client.disconnect()
  await end(machine, 'SIGTERM')
  await fleet.close()
})

test.serial('results that have been read leave nothing in the engine', async (t) => {
  const { fleet } = open()
  const work = fleet.work({ pool: { filename: FILENAME, maxThreads: 2 }, tasks: TASKS })
  await work.ready
  const { Redis: Client } = require('ioredis')
  const client = new Client(redis.url)
  const used = async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
  await fleet.runTask('bytes', 1 << 20)
  const before = await used()
  const count = often(100, 1000)
  for (let i = 0; i < count; i += 10)
    await Promise.all(Array.from({ length: 10 }, () => fleet.runTask('bytes', 1 << 20)))
  await until(async () => (await used()) - before < 10 << 20)
  t.pass()
  client.disconnect()
  await fleet.close()
})

test.serial('an old worker leaves a task that it does not know to a new one', async (t) => {
  const { fleet, name, connection } = open()
  const old = await startMachine({ name, connection, tasks: ['echo'], options: { skewGrace: 60_000 } })
  const task = fleet.runTask('add', { a: 1, b: 2 })
  await until(async () => (await fleet.stats()).delayed === 1)
  const fresh = await startMachine({ name, connection })
  t.is(await task, 3)
  await end(old, 'SIGTERM')
  await end(fresh, 'SIGTERM')
  await fleet.close()
})

test.serial('jobs that somebody else has put into the queue run no code of theirs', async (t) => {
  const { fleet, name } = open({ secret: 'known to us' })
  const work = fleet.work({ pool: { filename: FILENAME, maxThreads: 1 }, tasks: TASKS, skewGrace: 0 })
  await work.ready
  const { Queue } = require('bullmq')
  const queue = new Queue(name, { connection: { url: redis.url }, prefix: '{rspool}' })
  const marker = logFile()
  const code = `data:text/javascript,import fs from 'fs'; export default () => fs.writeFileSync('${marker}', '')`
  const hostile = [
    null,
    'text',
    { v: 1 },
    { v: 99, task: 'echo' },
    { v: 1, task: 'echo', input: { text: '1' }, retries: 0 },
    { v: 1, task: 'echo', input: { text: '1' }, retries: 0, mac: 'AAAA' },
    { v: 1, task: '__proto__', input: { text: '1' }, retries: 0 },
    { v: 1, task: 'echo', input: { ref: '../../etc/passwd' }, retries: 0 },
    {
      v: 1,
      task: 'default',
      filename: code,
      options: { filename: code, name: 'default' },
      input: { text: '1' },
      retries: 0
    },
    { v: 1, task: 'echo', input: { text: `${'['.repeat(1e5)}${']'.repeat(1e5)}` }, retries: 0 },
    { v: 1, task: 'echo', input: { text: '{"$":["view","Uint8Array",{"$":["bytes",9]},0,1]}' }, retries: 0 }
  ]
  for (const data of hostile) await queue.add('echo', data, { priority: 21 })
  await until(async () => (await queue.getJobCounts('failed')).failed === hostile.length)
  t.false(fs.existsSync(marker))
  t.is(await fleet.runTask('add', { a: 1, b: 1 }), 2)
  await queue.close()
  await fleet.close()
})

test.serial('a task that is to end with its caller does, when that was killed', async (t) => {
  const { fleet, name, connection } = open()
  const work = fleet.work({ pool: { filename: FILENAME, maxThreads: 1, abortGrace: 50 }, tasks: TASKS })
  await work.ready
  const log = logFile()
  const script = `const { Fleet } = require('./fleet'); new Fleet('${name}', { connection: '${connection}' }).runTask('hold', { ms: 60_000, log: '${log}' }, { orphanTimeout: 1000 })`
  const caller = spawn(process.execPath, ['-e', script], { cwd: `${__dirname}/../..`, stdio: 'ignore' })
  await written(log, /start/)
  t.is((await work.stats()).running, 1)
  await end(caller, 'SIGKILL')
  await until(async () => (await work.stats()).running === 0)
  t.is(await fleet.runTask('add', { a: 1, b: 1 }), 2)
  await fleet.close()
})

test.serial('a machine that was paused gives no second result, and does no more for the task', async (t) => {
  const { fleet, name, connection } = open()
  const settings = { name, connection, options: { lockDuration: LOCK } }
  const paused = await startMachine(settings)
  const log = logFile()
  const task = fleet.runTask('hold', { ms: 3 * LOCK, log }, { retries: 2 })
  await written(log, /start/)
  paused.kill('SIGSTOP')
  const other = await startMachine(settings)
  await written(log, /start(.*\n)*start/)
  paused.kill('SIGCONT')
  t.is(await task, 'held')
  const [one, two] = spans(fs.readFileSync(log, 'utf8'))
  t.true(one.to - two.from < LOCK, 'what was paused ends soon after it goes on')
  await end(paused, 'SIGTERM')
  await end(other, 'SIGTERM')
  await fleet.close()
})

test.serial('calls whose task the engine has forgotten are told so', async (t) => {
  const forgetful = /** @type {Redis} */ (await Redis.start())
  const fleet = new Fleet(`lost-${randomUUID()}`, { connection: forgetful.url })
  const task = fleet.runTask('echo', 1)
  await until(async () => (await fleet.stats()).waiting === 1)
  await forgetful.kill()
  await forgetful.up()
  await t.throwsAsync(() => task, { code: 'ERR_RSPOOL_LOST' })
  await fleet.close()
  await forgetful.stop()
})

test.serial('an engine that is full refuses calls, with its own words', async (t) => {
  const small = /** @type {Redis} */ (await Redis.start())
  const { Redis: Client } = require('ioredis')
  const client = new Client(small.url)
  await client.config('SET', 'maxmemory', '1')
  const fleet = new Fleet(`full-${randomUUID()}`, { connection: small.url })
  await t.throwsAsync(() => fleet.send('echo', 1), { code: 'ERR_RSPOOL_ENGINE', message: /OOM/ })
  await client.config('SET', 'maxmemory', '0')
  t.is(typeof (await fleet.send('echo', 1)), 'string')
  client.disconnect()
  await fleet.close()
  await small.stop()
})

test.serial('a caller whose network was silent hears how its task ended', async (t) => {
  const { fleet, name, connection } = open()
  const machine = await startMachine({ name, connection })
  const network = await Network.start(redis.port)
  const far = new Fleet(name, { connection: network.url })
  const log = logFile()
  const task = far.runTask('hold', { ms: 500, log })
  await written(log, /start/)
  network.swallows = true
  await until(async () => (await fleet.stats()).running === 0)
  network.heal()
  t.is(await task, 'held')
  await far.close()
  network.stop()
  await end(machine, 'SIGTERM')
  await fleet.close()
})

test.serial('an envelope of a newer version is left to newer workers', async (t) => {
  const { fleet, name } = open()
  const work = fleet.work({ pool: { filename: FILENAME, maxThreads: 1 }, tasks: TASKS })
  await work.ready
  const { Queue } = require('bullmq')
  const queue = new Queue(name, { connection: { url: redis.url }, prefix: '{rspool}' })
  await queue.add('echo', { v: 2, task: 'echo', anything: 'else' }, { priority: 21 })
  await until(async () => (await fleet.stats()).delayed === 1)
  t.is((await work.stats()).finished, 1)
  await queue.close()
  await fleet.close()
})

test.serial('an idle worker asks the engine once a second at most', async (t) => {
  const quiet = /** @type {Redis} */ (await Redis.start())
  const fleet = new Fleet(`idle-${randomUUID()}`, { connection: quiet.url })
  const work = fleet.work({ pool: { filename: FILENAME, maxThreads: 1 }, tasks: TASKS })
  await work.ready
  const id = await fleet.send('echo', 1)
  t.is(await fleet.result(id), 1)
  const { Redis: Client } = require('ioredis')
  const client = new Client(quiet.url)
  // What scripts do inside of the server is counted with its other commands.
  const asked = async () => {
    const stats = await client.info('commandstats')
    const calls = [...stats.matchAll(/^cmdstat_(?:evalsha|bzpopmin|xread|get|set):calls=(\d+)/gm)]
    return calls.reduce((sum, [, count]) => sum + Number(count), 0)
  }
  const [before, start] = [await asked(), Date.now()]
  await until(async () => Date.now() - start >= 10_000)
  const commands = (await asked()) - before
  t.true(commands <= 10, `${commands} commands in 10 s`)
  client.disconnect()
  await fleet.close()
  await quiet.stop()
})

test('without the engine a fleet says what to install', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-bare-'))
  const script = `const Module = require('node:module'); const resolve = Module._resolveFilename
    Module._resolveFilename = (name, ...rest) => name === 'bullmq' ? resolve('no-such-package', ...rest) : resolve(name, ...rest)
    const { Fleet } = require(${JSON.stringify(path.join(__dirname, '../../fleet'))})
    try { new Fleet('x', { connection: 'redis://127.0.0.1:1' }) } catch (error) { console.log(error.code, error.message) }`
  const output = execFileSync(process.execPath, ['-e', script], { cwd: folder, encoding: 'utf8' })
  t.regex(output, /^ERR_RSPOOL_ENGINE .* npm install bullmq/)
  fs.rmSync(folder, { recursive: true })
})

test.serial('a program that has nothing to wait for ends, though its fleet is open', async (t) => {
  const { fleet, name, connection } = open()
  const script = `const { Fleet } = require('./fleet'); new Fleet('${name}', { connection: '${connection}' }).send('echo', 1).then((id) => console.log(typeof id))`
  t.is(
    execFileSync(process.execPath, ['-e', script], {
      cwd: `${__dirname}/../..`,
      encoding: 'utf8',
      timeout: 20_000
    }).trim(),
    'string'
  )
  await fleet.close()
})
