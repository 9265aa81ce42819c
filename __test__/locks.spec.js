'use strict'

// The locks of a cluster of one process, and what they take.
const test = require('ava')
const { cluster } = require('..')

const options = { processes: 0, signals: false, exit: false, log: false }

/** A cluster in this process; there is one at a time. */
let last = Promise.resolve()
async function withCluster(t, use) {
  const before = last
  let done
  last = new Promise((resolve) => {
    done = resolve
  })
  await before
  const supervisor = cluster.run((context) => context.ready(), options)
  try {
    await supervisor.ready
    await use(cluster.current, supervisor)
  } finally {
    await supervisor.stop()
    done()
  }
}

const failure = (promise) =>
  promise.then(
    () => undefined,
    (error) => error
  )

/** A lock that is held until `release` is called. */
function hold(context, name) {
  let release
  const done = new Promise((resolve) => {
    release = resolve
  })
  const held = new Promise((resolve) => {
    context.lock(name, (mine) => resolve(mine) ?? done)
  })
  return { held, release }
}

test('it gives what the function gives, and is free afterwards, also when that throws', (t) =>
  withCluster(t, async ({ lock }) => {
    t.is(await lock('a', ({ token }) => typeof token), 'number')
    t.is(await lock('a', async () => 7), 7)
    t.is((await failure(lock('a', () => Promise.reject(new Error('async'))))).message, 'async')
    const throws = () => {
      throw new Error('sync')
    }
    t.is((await failure(lock('a', throws))).message, 'sync')
    t.is(await lock('a', () => 8, { timeout: 0 }), 8)
  }))

test('functions run one after another, in the order of their calls', (t) =>
  withCluster(t, async ({ lock }) => {
    const order = []
    let inside = 0
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        lock('a', async ({ token }) => {
          t.is(++inside, 1)
          await new Promise(setImmediate)
          inside--
          order.push({ n, token })
        })
      )
    )
    t.deepEqual(
      order.map(({ n }) => n),
      Array.from({ length: 100 }, (_, n) => n)
    )
    t.true(order.every(({ token }, at) => at === 0 || token > order[at - 1].token))
  }))

test('other names do not wait', (t) =>
  withCluster(t, async (context) => {
    const { held, release } = hold(context, 'a')
    await held
    t.is(await context.lock('b', () => context.lock('c', () => 'both')), 'both')
    release()
  }))

test('a limit of time ends the wait, and the next in line is none the worse', (t) =>
  withCluster(t, async (context) => {
    const { held, release } = hold(context, 'a')
    await held
    for (const timeout of [0, 10]) {
      const error = await failure(context.lock('a', () => t.fail(), { timeout }))
      t.is(error.code, 'ERR_RSPOOL_LOCK_TIMEOUT')
      t.regex(error.message, new RegExp(`'a' did not come free within ${timeout} ms`))
    }
    const next = context.lock('a', () => 'next')
    release()
    t.is(await next, 'next')
  }))

test('a signal ends the wait, and is passed on to the function once that runs', (t) =>
  withCluster(t, async (context) => {
    const { held, release } = hold(context, 'a')
    await held
    const controller = new AbortController()
    const waiting = failure(context.lock('a', () => t.fail(), { signal: controller.signal }))
    const reason = new Error('why')
    controller.abort(reason)
    const error = await waiting
    t.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ABORT_ERR', reason])
    t.is((await failure(context.lock('b', () => t.fail(), { signal: AbortSignal.abort() }))).code, 'ABORT_ERR')
    const early = new AbortController()
    const begun = failure(context.lock('b', () => t.fail(), { signal: early.signal }))
    early.abort(reason)
    t.is((await begun).cause, reason)
    const late = new AbortController()
    const running = context.lock(
      'b',
      ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(signal.reason))
          late.abort(reason)
        }),
      { signal: late.signal }
    )
    t.is(await running, reason)
    release()
  }))

test('what cannot be right is refused', (t) =>
  withCluster(t, async ({ lock, leader }) => {
    for (const args of [
      [],
      ['', () => {}],
      [7, () => {}],
      ['x'.repeat(251), () => {}],
      ['a'],
      ['a', () => {}, { timeout: -1 }],
      ['a', () => {}, { timeot: 1 }],
      ['a', () => {}, { signal: {} }]
    ])
      t.is((await failure(lock(...args))).code, 'ERR_RSPOOL_INVALID_ARGUMENT')
    t.throws(() => leader('', () => {}), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
    t.throws(() => leader('a'), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  }))

test('there is room for four thousand names, and any number in line for one', (t) =>
  withCluster(t, async (context) => {
    const all = Array.from({ length: 4096 }, (_, n) => hold(context, `name ${n}`))
    await Promise.all(all.map(({ held }) => held))
    t.is((await failure(context.lock('one more', () => {}))).code, 'ERR_RSPOOL_LOCKS_FULL')
    const line = Promise.all(Array.from({ length: 1000 }, () => context.lock('name 0', () => {})))
    for (const { release } of all) release()
    await line
    await context.lock('one more', () => {})
  }))

test('one leads, until it resigns; the next begins when it has ended', (t) =>
  withCluster(t, async ({ leader }) => {
    const story = []
    const candidate = (who) => {
      let begun
      const leads = new Promise((resolve) => {
        begun = resolve
      })
      const resign = leader('cron', async ({ signal }) => {
        story.push(`${who} leads`)
        begun()
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        await new Promise(setImmediate)
        story.push(`${who} has ended`)
      })
      return { leads, resign }
    }
    const [one, two, three] = ['one', 'two', 'three'].map(candidate)
    await one.leads
    await two.resign()
    await one.resign()
    await three.leads
    await three.resign()
    t.deepEqual(story, ['one leads', 'one has ended', 'three leads', 'three has ended'])
  }))

test('one whose function has ended still leads, until it resigns', (t) =>
  withCluster(t, async ({ leader }) => {
    let signal
    const leads = new Promise((resolve) => {
      leader('cron', (held) => {
        signal = held.signal
        resolve()
      })
    })
    await leads
    leader('cron', () => t.fail())
    await new Promise(setImmediate)
    t.false(signal.aborted)
  }).then(() => t.pass()))

test('a drain tells those who lead and who hold a lock, and waits for them', async (t) => {
  const told = []
  await withCluster(t, async ({ lock, leader }, supervisor) => {
    const waits = (who, begun) => (held) => {
      begun()
      return new Promise((resolve) =>
        held.signal.addEventListener('abort', () => setImmediate(() => resolve(told.push(who))))
      )
    }
    await new Promise((resolve) => leader('a', waits('leader', resolve)))
    await new Promise((resolve) => lock('a', waits('lock', resolve)))
    t.deepEqual(await supervisor.stop().then(({ forced }) => forced), 0)
  })
  t.deepEqual(told.sort(), ['leader', 'lock'])
})
