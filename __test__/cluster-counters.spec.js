'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { SharedRegion } = require('../lib/cluster/region')
const { ClusterCounters } = require('../lib/cluster/counters')
const { Primary, kill } = require('./cluster/harness')

const NAMES = { counters: ['hits', 'misses'], gauges: [], histograms: {} }

function make(rows = 3) {
  const region = SharedRegion.create(NAMES, { rows, seats: 1, tokens: 1 })
  for (let row = 0; row < rows; row++) region.useRow(row)
  const share = { fd: region.native.fd, names: NAMES }
  return { region, rows: Array.from({ length: rows }, (_, row) => new ClusterCounters(region, row, share)) }
}

test('each row counts for itself and every reading is the sum', (t) => {
  const {
    rows: [a, b]
  } = make()
  t.is(a.add('hits'), 1)
  t.is(b.add('hits', 41), 42)
  t.is(a.sub('hits', 2), 40)
  t.is(b.get('hits'), 40)
  t.is(b.getBigInt('hits'), 40n)
  t.deepEqual(a.snapshot(), { hits: 40, misses: 0 })
  t.deepEqual(a.snapshotOf(1), { hits: 41, misses: 0 })
  t.is(JSON.stringify(b), '{"hits":40,"misses":0}')
  a.set('misses', 7)
  t.is(b.get('misses'), 7)
  b.reset('misses')
  t.is(a.get('misses'), 0)
  b.reset()
  t.deepEqual(a.snapshot(), { hits: 0, misses: 0 })
})

test('wrong names and values throw and change nothing', (t) => {
  const {
    rows: [a]
  } = make()
  const invalid = { code: 'ERR_RSPOOL_INVALID_ARGUMENT' }
  t.throws(() => a.add('hit'), { ...invalid, message: /Did you mean 'hits'/ })
  t.throws(() => a.add('toString'), invalid)
  t.throws(() => a.add('hits', 0.5), invalid)
  t.throws(() => a.add('hits', NaN), invalid)
  t.throws(() => a.get(), invalid)
  t.throws(() => a.compareExchange('hits', 0, 1), { code: 'ERR_RSPOOL_UNSUPPORTED' })
  t.deepEqual(a.snapshot(), { hits: 0, misses: 0 })
})

test('another opening of the region sees the same counters', (t) => {
  const {
    region,
    rows: [a]
  } = make()
  const other = ClusterCounters.from(a.share())
  other.add('hits', 5)
  t.is(a.get('hits'), 5)
  t.throws(() => SharedRegion.open(region.native.fd, { ...NAMES, counters: ['other'] }), {
    code: 'ERR_RSPOOL_REGION',
    message: /other names/
  })
})

test('what is not a region is refused', (t) => {
  const code = 'ERR_RSPOOL_REGION'
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-')), 'file')
  fs.writeFileSync(file, Buffer.alloc(100_000))
  const fd = fs.openSync(file, 'r+')
  t.teardown(() => fs.closeSync(fd))
  t.throws(() => SharedRegion.open(fd, NAMES), { code })
  t.throws(() => SharedRegion.open(-1, NAMES), { code })
  t.throws(() => SharedRegion.open(1 << 30, NAMES), { code })
  t.throws(() => ClusterCounters.from({}), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
})

test('a region cannot be cut short by whoever has its descriptor', (t) => {
  const { region } = make()
  t.throws(() => fs.ftruncateSync(region.native.fd, 0), { code: 'EPERM' })
})

test('three processes with three threads each add a million times without a loss', async (t) => {
  const primary = new Primary(t, { app: 'adder.js', options: { processes: 3 } })
  await primary.ready
  const times = 111_112
  await Promise.all([0, 1, 2].map((slot) => primary.call('request', slot, { times, threads: 2 }, { timeout: 40_000 })))
  t.is(await primary.call('counter', 'requests'), 9 * times)
})

test('no addition that was told of is lost when processes are killed, and no reading goes down', async (t) => {
  const primary = new Primary(t, {
    app: 'adder.js',
    env: { FOREVER: '1' },
    options: { processes: 3, backoff: { initial: 1, max: 1 }, crashLoop: { restarts: 1000 } }
  })
  await primary.ready
  let last = 0
  let told = 0
  primary.on('message', ({ event, values }) => {
    if (event === 'message') told += values[0].added
  })
  for (let n = 0; n < 50; n++) {
    const slot = n % 3
    const [{ pid }] = await primary.event(
      'state',
      (state) => state.slot === slot && state.to === 'ready' && !state.seen && (state.seen = true)
    )
    kill(pid, 'SIGKILL')
    await primary.event('exit', (exit) => exit.pid === pid)
    const before = told
    const now = await primary.call('counter', 'requests')
    t.true(now >= last, 'a reading went down')
    t.true(now >= before, 'a told addition is missing')
    last = now
  }
  t.true(last > 0)
})
