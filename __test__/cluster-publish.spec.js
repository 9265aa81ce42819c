'use strict'

// Messages by topic between the processes of a cluster and its primary.

// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { startPrimary, kill } = require('./cluster/harness')

async function start(t, options) {
  const { primary } = await startPrimary(t, { app: 'topics-app.js', options })
  /** Has the process of a slot do something. */
  const tell = (slot, ...command) => primary.call('request', slot, command, { timeout: 40_000 })
  return { primary, tell }
}

const value = {
  when: new Date(0),
  bytes: new Uint8Array([1, 2]),
  set: new Set([1]),
  big: 10n,
  list: Array(2),
  text: 'ä€'
}

test('what a process publishes reaches every process, itself and the primary, as structuredClone gives it', async (t) => {
  const { primary, tell } = await start(t, { processes: 2 })
  for (const slot of [0, 1]) await tell(slot, 'subscribe', 'news')
  await primary.call('subscribe', 'news')
  await tell(1, 'publish', 'news', value, 1, undefined, 'text')
  const [{ pid }] = (await primary.call('processes')).slice(1)
  const publisher = { slot: 1, generation: 1, pid }
  for (const slot of [0, 1]) {
    const { heard, missed } = await tell(slot, 'heard', 4)
    t.deepEqual(
      heard,
      [value, 1, undefined, 'text'].map((message) => ({ message, publisher }))
    )
    t.is(missed, 0)
  }
  const [message, from] = await primary.event('published', (message) => message === 'text')
  t.deepEqual([message, from], ['text', publisher])
})

test('what the primary publishes reaches every process', async (t) => {
  const { primary, tell } = await start(t, { processes: 2 })
  for (const slot of [0, 1]) await tell(slot, 'subscribe', 'news')
  await primary.call('publish', 'news', value)
  for (const slot of [0, 1]) {
    const { heard } = await tell(slot, 'heard', 1)
    t.deepEqual(heard, [{ message: value, publisher: { slot: undefined, generation: 0, pid: primary.child.pid } }])
  }
})

test('a process hears what is about its topics, as long as it subscribes to them', async (t) => {
  const { tell } = await start(t, { processes: 2 })
  await tell(0, 'subscribe', 'mine')
  await tell(0, 'subscribe', 'also mine')
  await tell(1, 'publish', 'other', 1)
  await tell(1, 'publish', 'mine', 2)
  await tell(1, 'publish', 'also mine', 3)
  t.deepEqual(
    (await tell(0, 'heard', 2)).heard.map(({ message }) => message),
    [2, 3]
  )
  await tell(0, 'unsubscribe', 'mine')
  await tell(1, 'publish', 'mine', 4)
  await tell(1, 'publish', 'also mine', 5)
  t.deepEqual(
    (await tell(0, 'heard', 1)).heard.map(({ message }) => message),
    [5]
  )
})

test('all hear what several publish in the same order', async (t) => {
  const { tell } = await start(t, { processes: 3 })
  for (const slot of [0, 1, 2]) await tell(slot, 'subscribe', 'news')
  await Promise.all([0, 1, 2].map((slot) => tell(slot, 'publishMany', 'news', 500, slot)))
  const orders = []
  for (const slot of [0, 1, 2]) {
    const { heard } = await tell(slot, 'heard', 1500)
    orders.push(heard.map(({ message, publisher }) => `${publisher.slot}.${message.number}`))
  }
  t.is(new Set(orders[0]).size, 1500)
  t.deepEqual(orders[1], orders[0])
  t.deepEqual(orders[2], orders[0])
})

test('a process whose loop is busy for longer than the ring lasts hears how many messages it has missed', async (t) => {
  const { tell } = await start(t, { processes: 2, publishBytes: 65_536 })
  await tell(0, 'subscribe', 'news')
  await tell(0, 'publishMany', 'news', 2000, 100)
  const { heard, missed } = await tell(0, 'heard', 2000)
  t.true(missed > 0)
  t.is(heard.length + missed, 2000)
  t.deepEqual(
    heard.map(({ message }) => message.number),
    heard.map((_, at) => missed + at)
  )
})

test('processes that are killed while they publish block nobody, and no message is torn', async (t) => {
  const { primary, tell } = await start(t, { processes: 3, publishBytes: 65_536, backoff: { initial: 0 } })
  await tell(2, 'checkBytes', 'noise')
  await tell(2, 'subscribe', 'news')
  for (let round = 0; round < 12; round++) {
    const slot = round % 2
    const processes = await primary.call('processes')
    await tell(slot, 'publishForEver', 'noise', round % 3 === 0 ? 40 : 15_000)
    const from = primary.events.length
    kill(processes[slot].pid, 'SIGKILL')
    await primary.event('state', (info) => info.slot === slot && info.to === 'ready', from)
  }
  for (const slot of [0, 1]) {
    await tell(slot, 'publish', 'news', `end ${slot}`)
    t.true(await tell(2, 'heardOf', `end ${slot}`))
  }
  t.deepEqual(
    primary.events.filter(({ event }) => event === 'message'),
    []
  )
})

test('what a listener throws is uncaught, and the next message is heard all the same', async (t) => {
  const { primary, tell } = await start(t, { processes: 1 })
  await tell(0, 'throwAtNext', 'news')
  await tell(0, 'subscribe', 'news')
  await tell(0, 'publish', 'news', 1)
  t.is((await tell(0, 'heard', 1)).heard[0].message, 1)
  const [message] = await primary.event('message')
  t.deepEqual(message, { uncaught: 'thrown by a listener' })
})

test('wrong topics, messages and options are refused', async (t) => {
  const { tell } = await start(t, { processes: 1, publishBytes: 65_536 })
  const fails = (...args) => tell(0, 'fails', ...args)
  for (const topic of ['', 'x'.repeat(251), 5]) {
    for (const method of ['publish', 'subscribe'])
      t.is((await fails(method, topic)).code, 'ERR_RSPOOL_INVALID_ARGUMENT')
  }
  t.is((await fails('subscribe', 't', 'no function')).code, 'ERR_RSPOOL_INVALID_ARGUMENT')
  const long = await fails('publish', 't', 'x'.repeat(20_000))
  t.is(long.code, 'ERR_RSPOOL_INVALID_ARGUMENT')
  t.regex(long.message, /20\d\d\d bytes.*16\d\d\d/)
  t.is((await tell(0, 'publishFunction')).name, 'DataCloneError')
})

test('without a ring nothing can be published', async (t) => {
  const { tell } = await start(t, { processes: 1, publishBytes: 0 })
  t.is((await tell(0, 'fails', 'publish', 't', 1)).code, 'ERR_RSPOOL_UNSUPPORTED')
})

test('with processes: 0 context and supervisor hear each other', async (t) => {
  const { primary, tell } = await start(t, { processes: 0 })
  await tell(0, 'subscribe', 'news')
  await primary.call('subscribe', 'news')
  await primary.call('publish', 'news', value)
  t.deepEqual((await tell(0, 'heard', 1)).heard[0].message, value)
  t.deepEqual((await primary.event('published'))[0], value)
})
