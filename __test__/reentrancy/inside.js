// biome-ignore-all lint/suspicious/noThenProperty: thenables are what is tested
'use strict'

// Places inside of an isolate, and what is done there: the half of the matrix that runs in a worker.

const { isDeepStrictEqual } = require('node:util')
const { byPort } = require('../by-port')
const rspool = require('../../index.js')
const { runTask, task } = require('../../lib/worker/api')
const { collect, upTo } = require('./actions')

/** What went wrong here, for the owner to ask for. @type {string[]} */
let problems = []
/** @type {Promise<any>[]} */
const pending = []
/** @type {any} */
let own
let acted = 0

/** The isolate's own pool, in the lane of the cell. */
function ownPool() {
  return (own ??= new rspool.Pool({ filename: require.resolve('./script.js'), maxThreads: 1 }))
}

/** @param {Promise<any>} promise */
function expect(promise, expected, code) {
  pending.push(
    promise.then(
      (value) => {
        if (code !== undefined || !isDeepStrictEqual(value, expected)) problems.push(`resolved with ${String(value)}`)
      },
      (error) => {
        if ((error?.code ?? error?.name) !== code) problems.push(`rejected: ${error?.stack}`)
      }
    )
  )
}

/** @type {Record<string, (lane: string) => void>} */
const actions = {
  run(lane) {
    const pool = ownPool()
    const text = 'nested '.repeat(90)
    expect(lane === 'script' ? pool.run(text) : pool.runTask('test.echo', text), text)
    // A task that has ended may have no others run, and those that it had are given up as it ends.
    const nested = runTask('echo', text)
    pending.push(
      nested.then(
        (value) => value === text || problems.push('a nested call gave something else'),
        ({ code, stack }) => ['ERR_RSPOOL_NO_TASK', 'ABORT_ERR'].includes(code) || problems.push(stack)
      )
    )
  },
  runSync(lane) {
    for (const input of ['sync '.repeat(120), { sync: [1, 2.5, 'three'] }, 7]) {
      const pool = ownPool()
      const got = lane === 'script' ? pool.runSync(input) : pool.runTaskSync('test.echo', input)
      if (!isDeepStrictEqual(got, input)) problems.push(`runSync gave ${JSON.stringify(got)}`)
    }
  },
  map(lane) {
    expect(collect(ownPool().map(upTo(40), lane === 'script' ? undefined : 'test.echo')), upTo(40))
  },
  large(lane) {
    const text = 'large '.repeat(20_000)
    const got = lane === 'script' ? ownPool().runSync(text) : ownPool().runTaskSync('test.echo', text)
    if (got !== text) problems.push('a large value came back as another')
  },
  abort(lane) {
    const controller = new AbortController()
    const { signal } = controller
    const call =
      lane === 'script'
        ? ownPool().runTask('waits', null, { signal })
        : ownPool().runTask('test.spin', null, { signal })
    expect(call, undefined, 'ABORT_ERR')
    controller.abort()
  },
  progress() {
    task.progress('from the place')
  },
  close(lane) {
    const pool = ownPool()
    own = undefined
    expect(lane === 'script' ? pool.run(1) : pool.runTask('test.echo', 1), 1)
    pending.push(pool.close())
  },
  destroy(lane) {
    const pool = ownPool()
    own = undefined
    expect(lane === 'script' ? pool.runTask('waits') : pool.runTask('test.spin'), undefined, 'ERR_RSPOOL_POOL_CLOSED')
    pending.push(pool.destroy())
  },
  throw() {
    throw new SyntaxError('thrown at the place')
  },
  exit() {
    process.exit(7)
  }
}

/** Whatever is asked of it acts once. @param {() => void} act */
function nosy(target, act) {
  const handler = {}
  for (const trap of Object.getOwnPropertyNames(Reflect)) {
    handler[trap] = (...args) => {
      act()
      return Reflect[trap](...args)
    }
  }
  return new Proxy(target, handler)
}

const withGetter = (act, more = {}) => ({
  a: 'hello from a',
  n: 12345678,
  ...more,
  get b() {
    act()
    return 'b'
  },
  c: 'tail'
})

/** What each place gives or throws. @type {Record<string, (act: () => void) => any>} */
const places = {
  'a getter in a result': (act) => withGetter(act),
  'a getter in a large result': (act) => withGetter(act, { text: 'large '.repeat(4000) }),
  'a getter in a result that a port carries': (act) => withGetter(act, { shared: byPort() }),
  'a Symbol.toStringTag getter in a result': (act) => ({
    a: 'hello from a',
    e: {
      get [Symbol.toStringTag]() {
        act()
        return 'Object'
      }
    }
  }),
  'a getter then of a result': (act) => ({
    a: 1,
    get then() {
      act()
      return undefined
    }
  }),
  'a proxy as a result': (act) => nosy({ a: 1 }, act),
  'a thenable that settles at once': (act) => ({
    then(resolve) {
      act()
      resolve('settled')
    }
  }),
  'a thenable that settles twice': (act) => ({
    then(resolve, reject) {
      resolve('settled')
      act()
      resolve('again')
      reject(new Error('and again'))
    }
  }),
  'a thenable that settles twice, later': (act) => ({
    then(resolve) {
      setImmediate(() => {
        resolve('settled')
        act()
        resolve('again')
      })
    }
  }),
  'a thenable that throws': (act) => ({
    then() {
      act()
      throw new RangeError('from then')
    }
  }),
  'a thenable that settles and throws': (act) => ({
    then(resolve) {
      resolve('settled')
      act()
      throw new RangeError('from then')
    }
  }),
  'a thenable that gives a thenable': (act) => ({
    then(resolve) {
      resolve({
        then(inner) {
          act()
          inner('settled')
        }
      })
    }
  }),
  'a thenable that gives a promise': (act) => ({
    then(resolve) {
      act()
      resolve(Promise.resolve('settled'))
    }
  }),
  'an async function that gives a result with a getter': async (act) => withGetter(act),
  'a getter of what is thrown': (act) => {
    throw Object.defineProperty(new RangeError('thrown'), 'detail', {
      enumerable: true,
      get() {
        act()
        return 'detail'
      }
    })
  },
  'the message of what is thrown': (act) => {
    throw Object.defineProperty(new RangeError('thrown'), 'message', {
      get() {
        act()
        return 'thrown'
      }
    })
  },
  'the cause of what is thrown': (act) => {
    throw Object.defineProperty(new RangeError('thrown'), 'cause', {
      get() {
        act()
        return 'cause'
      }
    })
  },
  'the stack of what is thrown': (act) => {
    throw Object.defineProperty(new RangeError('thrown'), 'stack', {
      get() {
        act()
        return 'RangeError: thrown\n    at a place'
      }
    })
  },
  'a proxy that is thrown': (act) => {
    throw nosy(new RangeError('thrown'), act)
  },
  'Error.prepareStackTrace': (act) => {
    const before = Error.prepareStackTrace
    Error.prepareStackTrace = (error) => {
      Error.prepareStackTrace = before
      act()
      return String(error)
    }
    throw new RangeError('thrown')
  },
  'an accessor Object.prototype.then': (act) => {
    Object.defineProperty(Object.prototype, 'then', {
      configurable: true,
      get() {
        delete Object.prototype.then
        act()
        return undefined
      }
    })
    return { a: 1 }
  },
  'a getter of a value of progress': (act) => {
    task.progress(withGetter(act))
    return 'progressed'
  },
  'a getter in the input of a nested call': async (act) => {
    const { a, b, c } = await runTask('echo', withGetter(act))
    return { a, b, c }
  },
  'a reaction of a nested call': (act) =>
    runTask('echo', 1).then((value) => {
      act()
      return value
    })
}

/** Runs at a place of this isolate. @param {[string, string, string]} named */
function inside([place, action, lane]) {
  let armed = true
  return places[place](() => {
    if (!armed) return
    armed = false
    acted++
    actions[action](lane)
  })
}

/** What went wrong here since it was asked last, once all is settled. */
async function report() {
  while (pending.length > 0) await Promise.all(pending.splice(0))
  const told = { acted, problems }
  problems = []
  acted = 0
  return told
}

const plain = { a: 'hello from a', n: 12345678, b: 'b', c: 'tail' }
/** What the caller gets from each place, or (from `error`) how it fails. */
const expected = {
  'a getter in a result': { value: plain },
  'a getter in a large result': { value: { ...plain, text: 'large '.repeat(4000) } },
  'a getter in a result that a port carries': { value: { ...plain, shared: byPort() } },
  'a Symbol.toStringTag getter in a result': { value: { a: 'hello from a', e: {} } },
  'a getter then of a result': { value: { a: 1, then: undefined } },
  'a proxy as a result': { error: 'DataCloneError' },
  'a thenable that settles at once': { value: 'settled' },
  // A promise that has settled ignores what its resolver throws.
  'a thenable that settles twice': { value: 'settled', deaf: true },
  // What is thrown in the background ends the isolate.
  'a thenable that settles twice, later': { value: 'settled', deadly: true },
  'a thenable that throws': { error: 'RangeError' },
  'a thenable that settles and throws': { value: 'settled', deaf: true },
  'a thenable that gives a thenable': { value: 'settled' },
  'a thenable that gives a promise': { value: 'settled' },
  'an async function that gives a result with a getter': { value: plain },
  'a getter of what is thrown': { error: 'RangeError' },
  'the message of what is thrown': { error: 'RangeError' },
  'the cause of what is thrown': { error: 'RangeError' },
  'the stack of what is thrown': { error: 'RangeError' },
  'a proxy that is thrown': { error: 'any' },
  'Error.prepareStackTrace': { error: 'RangeError' },
  'an accessor Object.prototype.then': { value: { a: 1 } },
  'a getter of a value of progress': { value: 'progressed' },
  // A task that waits for another leaves its place, so that the isolate runs one of the others beside it.
  'a getter in the input of a nested call': { value: { a: 'hello from a', b: 'b', c: 'tail' }, shares: true },
  'a reaction of a nested call': { value: 1, shares: true }
}

module.exports = { inside, report, names: Object.keys(places), actions: Object.keys(actions), expected }
