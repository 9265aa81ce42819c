'use strict'

// One at a time: each keeps all CPUs busy.
const { serial: test } = require('ava')
const { cpuCount } = require('..')
const { startPrimary, kill, until } = require('./cluster/harness')

const PROCESSES = 4
const start = async (t, options) => (await startPrimary(t, { app: 'busy-app.js', options })).primary

/** Some milliseconds a task: short ones wake no more workers than they need. */
const SIZE = 3_000_000

/** How many workers are busy in all processes together, on average, while each has enough to do. */
async function busyWorkers(primary, slots, ms = 1500) {
  const answers = await Promise.all(
    slots.map((slot) => primary.call('request', slot, { ms, size: SIZE }, { timeout: 40_000 }))
  )
  return { average: answers.reduce((sum, { busy }) => sum + busy, 0), each: answers.map(({ most }) => most) }
}

test('the pools of all processes together run no more than the budget, and one task each', async (t) => {
  const primary = await start(t, { processes: PROCESSES })
  const { average, each } = await busyWorkers(primary, [0, 1, 2, 3])
  // The sum of averages is the average of the sums, and no sum is above the bound.
  t.true(average <= cpuCount() + PROCESSES + 0.2, `${average}`)
  t.true(
    each.every((most) => most >= 1),
    `${each}`
  )
})

test('without the budget each pool runs as many as it likes', async (t) => {
  const primary = await start(t, { processes: PROCESSES, budget: false })
  const { each } = await busyWorkers(primary, [0, 1, 2, 3])
  const total = each.reduce((sum, most) => sum + most, 0)
  t.true(total > cpuCount() + PROCESSES, `${each}`)
})

test('one busy process may use the whole budget, and a killed one gives its tokens back', async (t) => {
  const primary = await start(t, { processes: 2 })
  const alone = await busyWorkers(primary, [0])
  t.is(alone.each[0], Math.min(4, cpuCount() + 1))
  const lost = primary.call('request', 0, { ms: 20_000, size: SIZE }, { timeout: 40_000 })
  lost.catch(() => {})
  await until(async () => (await primary.call('status')).budget.free === 0)
  const [{ pid }] = (await primary.call('status')).processes
  kill(pid, 'SIGKILL')
  await primary.event('exit', (info) => info.pid === pid)
  await until(async () => (await primary.call('status')).budget.free === cpuCount())
  await t.throwsAsync(lost)
})

test('the tokens of a killed process come back while the loop of the primary is blocked', async (t) => {
  const primary = await start(t, { processes: 1 })
  primary.call('request', 0, { ms: 20_000, size: SIZE }, { timeout: 40_000 }).catch(() => {})
  await until(async () => (await primary.call('status')).budget.free === 0)
  const [{ pid }] = await primary.call('processes')
  await t.notThrowsAsync(primary.call('killHolder', pid))
})
