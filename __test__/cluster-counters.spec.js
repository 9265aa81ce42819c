'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { spawnSync } = require('node:child_process')
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

for (const [what, word, by, said] of [
  ['magic', 0, 1n, /no region header/],
  ['version', 1, 1n, /version 3, this package reads 2/],
  ['size', 2, 64n, /\d+ bytes, where its header says \d+/],
  ['version of its seats', 12, 1n << 32n, /its seats are of version 3, this package reads 2/],
  ['number of rows', 23, 1n, /its cells do not fit into it/]
]) {
  test(`a region of another ${what} is refused, and harms nobody`, (t) => {
    const {
      region,
      rows: [a]
    } = make()
    a.add('hits', 3)
    const share = a.share()
    Atomics.add(region.words, word, by)
    const refused = { name: 'RspoolError', code: 'ERR_RSPOOL_REGION', message: said }
    t.throws(() => SharedRegion.open(region.native.fd, NAMES), refused)
    t.throws(() => ClusterCounters.from(share), refused)
    t.is(a.get('hits'), 3)
    Atomics.sub(region.words, word, by)
    t.is(ClusterCounters.from(share).get('hits'), 3)
  })
}

// The region is an anonymous file (memfd): its pages are reserved when it is made, and no mount is asked.
const inMounts = (how) => ['-m', '/bin/sh', '-c', `mount -t tmpfs ${how}; exec "$0" "$@"`, process.execPath]
const canMount = spawnSync('unshare', [...inMounts('tmpfs /dev/shm'), '-v']).status === 0

for (const [state, how] of [
  ['full', '-o size=4k tmpfs /dev/shm; head -c 4096 /dev/zero > /dev/shm/full; ! echo more > /dev/shm/more'],
  ['read-only', '-o ro tmpfs /dev/shm'],
  [
    'missing',
    'tmpfs /mnt; mkdir /mnt/empty; for f in null zero urandom; do touch /mnt/$f; mount --bind /dev/$f /mnt/$f; done; mount --rbind /mnt /dev; test ! -e /dev/shm'
  ]
]) {
  const title = `counters need no /dev/shm: it may be ${state}`
  const run = async (t) => {
    const command = ['unshare', inMounts(`${how} || exit 9`)]
    const primary = new Primary(t, { app: 'counting.js', options: { processes: 2 }, command })
    await primary.ready
    t.is(await primary.call('counter', 'requests'), 2)
    await primary.call('stop')
    t.is((await primary.exited).code, 0)
  }
  if (canMount) test(title, run)
  else test.skip(`${title} (nothing can be mounted here)`, run)
}

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
