'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { startPrimary, kill, until } = require('./cluster/harness')

async function start(t, options, parts) {
  const { primary } = await startPrimary(t, { app: 'locks-app.js', ...parts, options: { processes: 3, ...options } })
  const ask = (slot, command, more) => primary.call('request', slot, { command, ...more }, { timeout: 40_000 })
  const pidOf = async (slot) => (await primary.call('processes'))[slot].pid
  /** The next message of that kind. */
  const told = async (what, test = () => true, from = 0) =>
    (await primary.event('message', (message) => message.what === what && test(message), from))[0]
  return { primary, ask, pidOf, told }
}

/** Where processes write, outside of any loop, which lock they hold: a file for each, whose name begins so. */
function heldBy(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-locks-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }))
  return path.join(folder, 'held')
}

test('one process holds a lock, and the others get it in the order of their coming, with rising tokens', async (t) => {
  const { primary, ask } = await start(t)
  const tokens = [await ask(2, 'lock', { name: 'a' })]
  const order = []
  const waiting = []
  for (const slot of [0, 1, 2, 0, 1]) {
    waiting.push(ask(slot, 'lock', { name: 'a' }).then((token) => order.push(slot) && token))
    // It has been asked, so it is in line.
    await ask(slot, 'lock', { name: `other ${waiting.length}` })
  }
  for (const slot of [2, 0, 1, 2, 0]) {
    t.is(order.length, tokens.length - 1)
    await ask(slot, 'release', { name: 'a' })
    tokens.push(await waiting[tokens.length - 1])
  }
  t.deepEqual(order, [0, 1, 2, 0, 1])
  t.deepEqual(
    tokens,
    [...tokens].sort((a, b) => a - b)
  )
  t.is(new Set(tokens).size, 6)
  t.is((await primary.call('status')).state, 'ready')
})

test('the lock of a killed process goes to the next one, while the loop of the primary is blocked', async (t) => {
  const held = heldBy(t)
  const { primary, ask, pidOf } = await start(t, {}, { env: { HELD: held } })
  const first = await ask(0, 'lock', { name: 'a' })
  const second = ask(1, 'lock', { name: 'a' })
  await ask(1, 'lock', { name: 'b' })
  const pid = await pidOf(0)
  t.false(fs.existsSync(`${held}-1-a`))
  await primary.call('killAndBlock', pid, `${held}-1-a`)
  t.true((await second) > first)
})

test('a process that is paused keeps its lock', async (t) => {
  const { ask, pidOf } = await start(t)
  const first = await ask(0, 'lock', { name: 'a' })
  const pid = await pidOf(0)
  kill(pid, 'SIGSTOP')
  const error = await t.throwsAsync(ask(1, 'lock', { name: 'a', options: { timeout: 1500 } }))
  t.is(error.code, 'ERR_RSPOOL_LOCK_TIMEOUT')
  kill(pid, 'SIGCONT')
  const second = ask(1, 'lock', { name: 'a' })
  await ask(0, 'release', { name: 'a' })
  t.true((await second) > first)
})

test('while the primary is paused, too, a lock goes from a dead process to the next one', async (t) => {
  const held = heldBy(t)
  const { primary, ask, pidOf } = await start(t, { processes: 2 }, { env: { HELD: held } })
  const first = await ask(0, 'lock', { name: 'a' })
  const second = ask(1, 'lock', { name: 'a' })
  await ask(1, 'lock', { name: 'b' })
  const pid = await pidOf(0)
  kill(primary.child.pid, 'SIGSTOP')
  kill(pid, 'SIGKILL')
  await until(() => fs.existsSync(`${held}-1-a`))
  kill(primary.child.pid, 'SIGCONT')
  t.true((await second) > first)
})

test('exactly one process leads, and when it is killed another one does, with a higher token', async (t) => {
  const { primary, told } = await start(t, {}, { env: { LEADS: 'cron' } })
  let { pid, token } = await told('leads')
  for (let n = 0; n < 5; n++) {
    const from = primary.events.length
    kill(pid, 'SIGKILL')
    const next = await told('leads', () => true, from)
    t.not(next.pid, pid)
    t.true(next.token > token)
    ;({ pid, token } = next)
    await primary.event('state', ({ to }) => to === 'ready', from)
  }
  t.is(primary.events.filter(({ values: [message] }) => message?.what === 'leads').length, 6)
})

test('at a drain a leader is told, and the next one begins when its function has ended', async (t) => {
  const { primary, told } = await start(t, {}, { env: { LEADS: 'cron', SLOW: '300' } })
  await told('leads')
  await primary.call('reload')
  const story = primary.events
    .filter(({ event, values: [message] }) => event === 'message' && typeof message.what === 'string')
    .map(({ values: [message] }) => message)
  // Each leads, is told, and ends, before the next leads.
  for (const [at, { what, token }] of story.entries()) {
    t.is(what, ['leads', 'told', 'has ended'][at % 3])
    if (at % 3 > 0) t.is(token, story[at - 1].token)
    else if (at > 0) t.true(token > story[at - 1].token)
  }
  t.true(story.length >= 4)
  const { pid } = story.at(-1)
  t.true((await primary.call('processes')).some((process) => process.pid === pid))
})

test('the functions that lead and that hold a lock have the grace to end, and no longer', async (t) => {
  const { primary, ask, told } = await start(t, { processes: 1 }, { env: { LEADS: 'cron', SLOW: '300' } })
  await told('leads')
  await ask(0, 'lock', { name: 'a' })
  t.is((await primary.call('stop')).forced, 0)
  await told('told', ({ name }) => name === 'a')
  await told('has ended')
  const late = await start(t, { processes: 1, grace: 500 }, { env: { LEADS: 'cron', SLOW: '60000' } })
  await late.told('leads')
  t.is((await late.primary.call('stop')).forced, 1)
})

test('the error of a function that leads is uncaught, and another process leads', async (t) => {
  const { primary, ask, told } = await start(t)
  await ask(1, 'failAsLeader', { name: 'cron' })
  const [{ cause }] = await primary.event('exit', ({ slot }) => slot === 1)
  t.is(cause.code, 1)
  await ask(2, 'lead', { name: 'cron' })
  t.is((await told('leads')).slot, 2)
})

test('a spare process leads nothing before it has a slot', async (t) => {
  const { primary, told } = await start(t, { processes: 1, spare: 1 }, { env: { LEADS: 'cron' } })
  const [{ pid: spare }] = await primary.event('spare', ({ to }) => to === 'ready')
  const leader = await told('leads')
  t.not(leader.pid, spare)
  kill(leader.pid, 'SIGKILL')
  t.is((await told('leads', ({ pid }) => pid !== leader.pid)).pid, spare)
})
