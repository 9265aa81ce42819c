'use strict'

// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { startPrimary, freePort, request, kill, until } = require('./cluster/harness')

const first = async (primary) => (await primary.call('status')).processes[0]
const state = (wanted) => async (primary) => (await first(primary)).state === wanted

async function startOne(t, options = {}) {
  const metricsPort = await freePort()
  const started = await startPrimary(t, { options: { processes: 1, metricsPort, ...options } })
  const open = (url) => request(started.port, url).catch(() => {})
  return { ...started, metricsPort, open, is: (wanted) => until(() => state(wanted)(started.primary)) }
}

test('a process that hangs is told as unresponsive, with what it was asked last and what it owes longest', async (t) => {
  const { primary, metricsPort, open, is } = await startOne(t)
  open('/hang?token=secret')
  await until(async () => (await first(primary)).inFlight === 1)
  open('/block?token=secret')
  await is('unresponsive')
  const status = await primary.call('status')
  const [{ pid, beatAgeMs, loopDelayMs, utilization, inFlight, requests, oldestRequest, lastRequest }] =
    status.processes
  t.true(beatAgeMs > 1000)
  t.true(loopDelayMs >= beatAgeMs - 250)
  t.is(utilization, 1)
  t.deepEqual([status.state, status.ready, inFlight, requests], ['degraded', 0, 2, 2])
  t.like(oldestRequest, { method: 'GET', url: '/hang' })
  t.like(lastRequest, { method: 'GET', url: '/block' })
  t.true(oldestRequest.ageMs > lastRequest.ageMs && lastRequest.ageMs > 700)

  const { body } = await request(metricsPort, '/metrics')
  t.regex(body, /^rspool_slot_state\{slot="0",state="unresponsive"\} 1$/m)
  t.true(Number(/^rspool_process_beat_age_seconds\{slot="0"\} (\S+)$/m.exec(body)[1]) > 1)
  t.true(Number(/^rspool_process_oldest_request_seconds\{slot="0"\} (\S+)$/m.exec(body)[1]) > 0.7)
  t.is((await request(metricsPort, '/ready')).status, 503)
  t.is((await request(metricsPort, '/live')).status, 200)

  await until(() => /does not respond/.test(primary.output))
  t.regex(primary.output, /slot 0 \(process \d+\) does not respond: .* last request begun is GET \/block, \d+ ms ago/)
  t.notRegex(primary.output + JSON.stringify(status) + body, /secret/)
  // It is a reading only: nothing follows from it.
  t.false(primary.events.some(({ event, values }) => event === 'state' && values[0].to === 'unresponsive'))
  t.true(kill(pid, 0))
})

test('the next beat ends it', async (t) => {
  const { primary, metricsPort, is } = await startOne(t)
  const [{ pid }] = await primary.call('processes')
  kill(pid, 'SIGSTOP')
  await is('unresponsive')
  await until(() => /does not respond/.test(primary.output))
  kill(pid, 'SIGCONT')
  await is('ready')
  t.is((await request(metricsPort, '/ready')).status, 200)
  await until(() => /slot 0 \(process \d+\) responds again/.test(primary.output))
  t.deepEqual(
    primary.events.filter(({ event }) => event === 'exit'),
    []
  )
})

test('a process that blocks while it boots is booting', async (t) => {
  const { primary } = await startPrimary(t, {
    app: 'sometimes-broken.js',
    options: { processes: 1, env: { BROKEN: 'blocks' } },
    ready: false
  })
  await until(async () => ((await first(primary))?.beatAgeMs ?? 0) > 1500)
  t.is((await first(primary)).state, 'booting')
})

for (const [requestUrls, url] of [
  ['full', '/hang?a=1'],
  ['path', '/hang'],
  [false, undefined]
]) {
  test(`of a URL is told what the option says (requestUrls: ${requestUrls})`, async (t) => {
    const { primary, open } = await startOne(t, { requestUrls })
    open('/hang?a=1')
    await until(async () => (await first(primary)).inFlight === 1)
    const { lastRequest } = await first(primary)
    t.deepEqual([lastRequest.method, lastRequest.url], ['GET', url])
  })
}

test('a long URL is cut, and an answered request is told no more', async (t) => {
  const { primary, port, open } = await startOne(t, { requestUrls: 'full' })
  open(`/hang?${'x'.repeat(5000)}`)
  await until(async () => (await first(primary)).inFlight === 1)
  const { oldestRequest } = await first(primary)
  t.true(oldestRequest.url.startsWith('/hang?xxx') && oldestRequest.url.length < 300)
  await request(port, '/?later')
  // The process may hear of the end of its answer after the client.
  await until(async () => (await first(primary)).inFlight === 1)
  const after = await first(primary)
  t.is(after.lastRequest, undefined)
  t.is(after.oldestRequest.url, oldestRequest.url)
})

test('a kill loses no request that was counted', async (t) => {
  const { primary, port } = await startOne(t, { backoff: { initial: 1 }, crashLoop: { restarts: 1e6 } })
  const asked = 20
  for (let round = 1; round <= 3; round++) {
    for (let n = 0; n < asked; n++) await request(port)
    const [{ pid }] = await primary.call('processes')
    kill(pid, 'SIGKILL')
    await primary.event('exit', (exit) => exit.pid === pid)
    t.regex(
      await primary.call('metrics'),
      new RegExp(`^rspool_http_requests_total\\{slot="0"\\} ${round * asked}$`, 'm')
    )
  }
})

const families = (text) => text.match(/^# TYPE \S+/gm)

test('a family is told once, whatever the names are', async (t) => {
  const { primary } = await startOne(t, {
    counters: ['requests', 'http.hits', 'http_hits', '9 lives', 'rspool_slot_restarts', 'say "hi" \\ or\nnot'],
    gauges: ['requests_total', 'http-hits', 'wait_sum'],
    histograms: { wait: [1, 2], 'http+hits': [1] }
  })
  const text = await primary.call('metrics')
  t.deepEqual(families(text), [...new Set(families(text))])
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const keys = samples.map((line) => line.slice(0, line.lastIndexOf(' ')))
  t.deepEqual(keys, [...new Set(keys)])
  for (const line of samples) t.regex(line, /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^{}]*\})? [-+0-9.eInf]+$/)
  // Who needs no change keeps the name.
  t.regex(text, /^# HELP http_hits_total The counter http_hits\.$/m)
  // In a help a quotation mark needs no escape, and has none.
  t.true(text.includes('# HELP say__hi____or_not_total The counter say "hi" \\\\ or\\nnot.\n'))
})

test('counters never go below zero: a reset is a new start', async (t) => {
  const { primary, port } = await startOne(t, { processes: 2 })
  for (let n = 0; n < 8; n++) await request(port, '/count')
  t.is(await primary.call('reset', 'requests'), 8)
  for (let n = 0; n < 3; n++) await request(port, '/count')
  t.is(await primary.call('counter', 'requests'), 3)
  await primary.call('set', 'requests', 10)
  await primary.call('add', 'requests', -4)
  t.is(await primary.call('counter', 'requests'), 6)
  const values = (await primary.call('metrics'))
    .match(/^requests_total\{.*$/gm)
    .map((line) => Number(line.split(' ')[1]))
  t.true(values.every((value) => value >= 0))
})

test('HEAD is answered as GET, without a body', async (t) => {
  const { metricsPort } = await startOne(t)
  for (const page of ['/metrics', '/ready', '/live']) {
    const { status, body } = await request(metricsPort, page, { method: 'HEAD' })
    t.deepEqual([status, body], [200, ''])
  }
  t.is((await request(metricsPort, '/other')).status, 404)
})

test('a cluster whose slots have all failed is not live', async (t) => {
  const metricsPort = await freePort()
  const { primary } = await startPrimary(t, {
    app: 'sometimes-broken.js',
    options: {
      processes: 1,
      metricsPort,
      env: { BROKEN: 'dies when ready' },
      backoff: { initial: 1 },
      crashLoop: { restarts: 2, action: 'hold' }
    },
    ready: false
  })
  await primary.event('crashloop')
  t.is((await request(metricsPort, '/live')).status, 503)
})
