'use strict'

// The stores, with the packages that they are for. One at a time: a program has one cluster.
const http = require('node:http')
const { once } = require('node:events')
const { serial: test } = require('ava')
const { cluster } = require('..')
const { request } = require('./cluster/harness')

async function start(t) {
  const supervisor = cluster.run((context) => context.ready(), {
    processes: 0,
    signals: false,
    exit: false,
    log: false,
    limits: { api: { points: 10, per: 3_600_000, burst: 3 } }
  })
  t.teardown(() => supervisor.stop())
  await supervisor.ready
  return { limit: cluster.current.limits.api, elsewhere: supervisor.limits.api }
}

test('express-rate-limit keeps a limit of the cluster', async (t) => {
  const { limit, elsewhere } = await start(t)
  const { ExpressRateLimitStore } = require('rspool/stores/express-rate-limit')
  const { rateLimit } = require('express-rate-limit')
  const app = require('express')()
  const store = new ExpressRateLimitStore(limit)
  app.use(
    rateLimit({ limit: 3, standardHeaders: 'draft-6', legacyHeaders: false, keyGenerator: () => 'somebody', store })
  )
  app.get('/', (_request, response) => response.send('hello'))
  const server = http.createServer(app).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const get = () => request(server.address().port)
  const { status, headers } = await get()
  t.deepEqual([status, headers['ratelimit-remaining']], [200, '2'])
  // Another process takes one, too.
  elsewhere.take('somebody')
  t.is((await get()).status, 200)
  const refused = await get()
  t.is(refused.status, 429)
  t.true(Number(refused.headers['retry-after']) > 0 && Number(refused.headers['retry-after']) <= 360)
  t.is((await store.get('somebody')).totalHits, 3)
  await t.throwsAsync(store.decrement('somebody'), { code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
})

test('@fastify/rate-limit keeps a limit of the cluster', async (t) => {
  const { limit, elsewhere } = await start(t)
  const { fastifyRateLimitStore } = await import('rspool/stores/fastify-rate-limit')
  const app = require('fastify')()
  t.teardown(() => app.close())
  await app.register(require('@fastify/rate-limit'), {
    max: 3,
    keyGenerator: () => 'somebody',
    store: fastifyRateLimitStore(limit)
  })
  app.get('/', async () => 'hello')
  app.get('/own', { config: { rateLimit: { max: 3 } } }, async () => 'its own')
  const get = (url = '/') => app.inject({ method: 'GET', url })
  t.like(await get(), { statusCode: 200, headers: { 'x-ratelimit-remaining': '2' } })
  elsewhere.take('somebody')
  t.is((await get()).statusCode, 200)
  t.is((await get()).statusCode, 429)
  t.is((await get('/own')).statusCode, 200)
})

test('what is no limit, or not that of the limiter, is refused', async (t) => {
  const { limit } = await start(t)
  const { ExpressRateLimitStore } = require('rspool/stores/express-rate-limit')
  const { fastifyRateLimitStore } = require('rspool/stores/fastify-rate-limit')
  const refused = { code: 'ERR_RSPOOL_INVALID_ARGUMENT' }
  t.throws(() => new ExpressRateLimitStore({}), refused)
  t.throws(() => fastifyRateLimitStore(undefined), refused)
  t.throws(() => new ExpressRateLimitStore(limit).init({ limit: 5 }), refused)
})
