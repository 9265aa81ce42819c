'use strict'

const test = require('ava')
const fs = require('node:fs')
const { Pool } = require('..')
const { makePool, upTo } = require('./helpers')

// One after the other: which CPU a pinned worker gets depends on all pools of the process.
const onLinux = process.platform === 'linux' ? test.serial : test.serial.skip

/** The niceness of the thread that runs it, and the CPUs that it may use, as Linux tells them. */
const thread = () => {
  const { readFileSync } = require('node:fs')
  const stat = readFileSync('/proc/thread-self/stat', 'utf8')
  const status = readFileSync('/proc/thread-self/status', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { nice: Number(fields[16]), cpus: /Cpus_allowed_list:\s*(.*)/.exec(status)?.[1] }
}

/** The niceness of the threads of this process with such a name. */
function niceOf(name) {
  return fs
    .readdirSync('/proc/self/task')
    .map((id) => fs.readFileSync(`/proc/self/task/${id}/stat`, 'utf8'))
    .filter((stat) => stat.includes(`(${name}`))
    .map((stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]))
}

onLinux('niceIncrement is added to the niceness of the workers of both lanes, and of no other thread', async (t) => {
  const before = thread().nice
  const pool = makePool(t, { label: 'kindly', maxThreads: 1, niceIncrement: 2 })
  const expected = Math.min(before + 2, 19)
  t.is((await pool.runTask(thread)).nice, expected)
  await pool.runTask('hash.crc32', 'x')
  t.true(niceOf('kindly ').includes(expected))
  t.is(thread().nice, before)
})

onLinux('pin keeps each worker on one CPU, and spreads them', async (t) => {
  const { cpus } = thread()
  const pool = makePool(t, { minThreads: 2, maxThreads: 2, pin: true })
  const places = await Promise.all(upTo(2).map((key) => pool.runTask(thread, [], { affinity: key })))
  for (const place of places) t.regex(place.cpus, /^\d+$/)
  if (cpus !== places[0].cpus) t.is(new Set(places.map((place) => place.cpus)).size, 2)
  t.is(thread().cpus, cpus)
})

test.serial('what the options of threads cannot be is refused, and what a system lacks is not missed', async (t) => {
  for (const niceIncrement of [-1, 20, 1.5, '3']) {
    t.throws(() => new Pool({ niceIncrement }), {
      code: 'ERR_RSPOOL_INVALID_ARGUMENT',
      message: /'niceIncrement' must be an integer from 0 to 19, got/
    })
  }
  t.throws(() => new Pool({ pin: 1 }), { code: 'ERR_RSPOOL_INVALID_ARGUMENT', message: /'pin' must be a boolean/ })
  const pool = makePool(t, { niceIncrement: 1, pin: true })
  t.is(await pool.runTask((n) => n + 1, 1), 2)
})
