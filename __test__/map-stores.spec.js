'use strict'

// The stores over shared maps, with the packages that they are for. Two threads or processes have two objects for one map.
const http = require('node:http')
const { once } = require('node:events')
const { serial: test } = require('ava')
const { cluster, SharedMap } = require('..')
const { request } = require('./cluster/harness')
const { ExpressSessionStore } = require('rspool/stores/express-session')
const { KeyvStore } = require('rspool/stores/keyv')

const refused = { code: 'ERR_RSPOOL_INVALID_ARGUMENT' }

/** The same map, as two have it. */
function two(options) {
  const map = new SharedMap({ bytes: '1MB', ...options })
  return [map, SharedMap.from(map.share())]
}

/** A server of express whose sessions are in a map. */
async function serve(t, map, options) {
  const session = require('express-session')
  const app = require('express')()
  app.use(
    session({
      secret: 'secret',
      resave: false,
      saveUninitialized: false,
      store: new ExpressSessionStore(map),
      ...options
    })
  )
  app.get('/login', (request, response) => {
    request.session.user = { name: request.query.name }
    response.send('welcome')
  })
  app.get('/me', (request, response) => response.json(request.session.user ?? null))
  app.get('/logout', (request, response) => request.session.destroy(() => response.send('bye')))
  app.get('/again', (request, response) => request.session.regenerate(() => response.send('another')))
  const errors = []
  app.use((error, _request, _response, next) => {
    errors.push(error.code)
    next()
  })
  const server = http.createServer(app).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address()
  const get = (url, cookie) => request(port, url, { headers: cookie && { cookie } })
  return Object.assign(get, { errors })
}

const cookieOf = ({ headers }) => headers['set-cookie'][0].split(';')[0]

test('a session of express-session that one process begins all have, until one ends it', async (t) => {
  const [one, other] = two()
  const [here, there] = [await serve(t, one), await serve(t, other)]
  const cookie = cookieOf(await here('/login?name=Ada'))
  t.deepEqual(JSON.parse((await there('/me', cookie)).body), { name: 'Ada' })
  await there('/logout', cookie)
  t.is((await here('/me', cookie)).body, 'null')
  t.is([...one.keys()].length, 0)
})

test('a session lasts as long as its cookie, anew from each request on', async (t) => {
  const [one] = two()
  const get = await serve(t, one, { cookie: { maxAge: 3_600_000 } })
  const cookie = cookieOf(await get('/login?name=Ada'))
  const [key] = one.keys({ prefix: 'session:' })
  t.true(one.ttl(key) <= 3_600_000 && one.ttl(key) > 3_000_000)
  one.expire(key, 100_000)
  await get('/me', cookie)
  t.true(one.ttl(key) > 3_000_000)
  one.expire(key, 1)
  while (one.has(key)) await new Promise(setImmediate)
  t.is((await get('/me', cookie)).body, 'null')
})

test('the store has what express-session asks of stores', async (t) => {
  const [map] = two()
  map.set('of another', 1)
  const store = new ExpressSessionStore(map, { prefix: 'mine:' })
  const call = (method, ...args) =>
    new Promise((resolve, reject) => store[method](...args, (error, value) => (error ? reject(error) : resolve(value))))
  const session = (name) => ({ name, cookie: { originalMaxAge: null } })
  const long = 'x'.repeat(1000)
  await call('set', 'a', session('a'))
  await call('set', long, session('long'))
  t.deepEqual(await call('get', long), session('long'))
  t.is(await call('get', 'none'), null)
  await call('touch', 'a', session('a'))
  t.is(map.ttl('mine:a') > 80_000_000, true)
  t.is(await call('length'), 2)
  t.deepEqual((await call('all')).map(({ name }) => name).sort(), ['a', 'long'])
  await call('clear')
  t.is(await call('length'), 0)
  t.is(map.get('of another'), 1)
})

test('where there is no room for a session, the application hears of that', async (t) => {
  const [map] = two({ bytes: 16_384, evict: false })
  const get = await serve(t, map)
  // The package answers first, and tells the error then.
  while (get.errors.length === 0) await get('/login?name=Ada')
  t.is(get.errors[0], 'ERR_RSPOOL_MAP_FULL')
})

test('a Keyv keeps its values in a map, each namespace for itself', async (t) => {
  const { Keyv } = await import('keyv')
  const [one, other] = two()
  const make = (map, namespace) => new Keyv({ store: new KeyvStore(map), namespace })
  const [here, there, third] = [make(one, 'a'), make(other, 'a'), make(other, 'b')]
  const long = 'k'.repeat(500)
  t.true(await here.set('key', { deep: [1, 'two'] }))
  t.true(await here.set(long, 'long'))
  await third.set('key', 3)
  t.deepEqual(await there.get('key'), { deep: [1, 'two'] })
  t.deepEqual(await there.get(['key', 'none', long]), [{ deep: [1, 'two'] }, undefined, 'long'])
  t.true(await there.has('key'))
  const all = []
  for await (const entry of there.iterator()) all.push(entry)
  t.deepEqual(all, [['key', { deep: [1, 'two'] }]])
  t.true(await there.delete('key'))
  t.is(await here.get('key'), undefined)
  await here.clear()
  t.is(await there.get(long), undefined)
  t.is(await third.get('key'), 3)
  await third.setMany([
    { key: 'x', value: 1 },
    { key: 'y', value: 2 }
  ])
  t.deepEqual(await third.getMany(['x', 'y']), [1, 2])
  t.true(await third.deleteMany(['x', 'y']))
  t.is(await third.get('x'), undefined)
})

test('what a Keyv keeps for a time ends in the map, too', async (t) => {
  const { Keyv } = await import('keyv')
  const [map] = two()
  const keyv = new Keyv({ store: new KeyvStore(map), useKeyPrefix: false })
  await keyv.set('key', 'value', 3_600_000)
  const [key] = map.keys()
  t.true(map.ttl(key) <= 3_600_000 && map.ttl(key) > 3_000_000)
  map.expire(key, 1)
  while (map.has(key)) await new Promise(setImmediate)
  t.is(await keyv.get('key'), undefined)
})

test('cache-manager has its values in a map, and computes each once', async (t) => {
  const { Keyv } = await import('keyv')
  const { createCache } = await import('cache-manager')
  const [one, other] = two()
  const make = (map) => createCache({ stores: [new Keyv({ store: new KeyvStore(map) })], ttl: 60_000 })
  const [here, there] = [make(one), make(other)]
  t.is(await here.wrap('key', async () => 'computed'), 'computed')
  t.is(await there.wrap('key', () => t.fail('it is there')), 'computed')
  t.is(await there.get('key'), 'computed')
  await there.del('key')
  t.is(await here.get('key'), undefined)
  await here.mset([{ key: 'x', value: 1 }])
  await there.clear()
  t.is(await here.get('x'), undefined)
})

/** The handler, as Next has it in two processes: it finds the map of the cluster by itself. */
async function startNext(t, maps = { next: { bytes: '1MB' } }) {
  const supervisor = cluster.run((context) => context.ready(), {
    processes: 0,
    signals: false,
    exit: false,
    log: false,
    maps
  })
  t.teardown(() => supervisor.stop())
  await supervisor.ready
  const Handler = require('rspool/stores/next')
  return { one: new Handler({}), other: new Handler({}), map: supervisor.maps.next }
}

test('the cache handler of Next.js keeps pages and fetches for all processes, until one of their tags is revalidated', async (t) => {
  const { one, other } = await startNext(t)
  const page = {
    kind: 'APP_PAGE',
    html: '<p>hello</p>',
    rscData: Buffer.from('rsc'),
    headers: { 'x-next-cache-tags': 'posts,_N_T_/blog' },
    segmentData: new Map([['/', Buffer.from('part')]]),
    status: 200
  }
  await one.set('/blog', page, {})
  const found = await other.get('/blog', { kind: 'APP_PAGE' })
  t.is(found.value.html, page.html)
  t.deepEqual(Buffer.from(found.value.segmentData.get('/')), Buffer.from('part'))
  t.true(Math.abs(Date.now() - found.lastModified) < 60_000)
  await one.set(
    'fetched',
    { kind: 'FETCH', data: { body: 'x' }, revalidate: 60 },
    { fetchCache: true, tags: ['prices'] }
  )
  t.truthy(await other.get('fetched', { kind: 'FETCH', softTags: ['_N_T_/shop'] }))
  await other.revalidateTag('posts')
  t.is(await one.get('/blog'), null)
  t.truthy(await one.get('fetched'))
  await other.revalidateTag(['_N_T_/shop'])
  t.is(await one.get('fetched', { kind: 'FETCH', softTags: ['_N_T_/shop'] }), null)
  await one.set('/none', null)
  t.is((await other.get('/none')).value, null)
  t.is(await one.get('never'), null)
  one.resetRequestCache()
})

test('the cache handler of Next.js keeps nothing outside of a cluster, and says which map it needs in one', async (t) => {
  const Handler = require('rspool/stores/next')
  const alone = new Handler({})
  await alone.set('/', { kind: 'PAGES', html: '', pageData: {} })
  t.is(await alone.get('/'), null)
  const { one } = await startNext(t, {})
  await t.throwsAsync(one.get('/'), { message: /maps: \{ next: / })
})

test('a store is made over a map, with options that it knows', async (t) => {
  const [map] = two()
  for (const Store of [ExpressSessionStore, KeyvStore]) {
    t.throws(() => new Store(new Map()), refused)
    t.throws(() => new Store(map, { prefix: 1 }), refused)
    t.throws(() => new Store(map, { prefix: 'x'.repeat(101) }), refused)
    t.throws(() => new Store(map, { ttl: 1 }), refused)
  }
})
