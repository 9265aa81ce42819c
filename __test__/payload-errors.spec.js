'use strict'

// Errors as values: the same properties, in the same order and of the same kind, as those that structuredClone gives.

const { types } = require('node:util')
const test = require('ava')
const { UNSUPPORTED } = require('../lib/payload/encode')
const { through } = require('./codec')
const { fixture, program, taskPool } = require('./helpers')

/** All that there is to an error. @param {any} error @param {number} [depth] @returns {unknown} */
function anatomy(error, depth = 0) {
  if (!types.isNativeError(error)) return error
  return {
    prototype: Object.getPrototypeOf(error).constructor.name,
    properties: Object.getOwnPropertyNames(error).map((key) => {
      const { get, set, enumerable, configurable, writable } = Object.getOwnPropertyDescriptor(error, key) ?? {}
      const value = depth < 4 ? anatomy(/** @type {any} */ (error)[key], depth + 1) : undefined
      return { key, get: typeof get, set: typeof set, enumerable, configurable, writable, value }
    })
  }
}

class Named extends TypeError {
  constructor(/** @type {string} */ message) {
    super(message)
    this.name = 'Named'
    this.extra = 'lost'
  }
}
const failedRead = () => {
  try {
    return require('node:fs').readFileSync(fixture('no-such-file'))
  } catch (error) {
    return error
  }
}
const held = new Error('held')

/** @type {Record<string, unknown>} */
const errors = {
  plain: new Error('plain'),
  'without a message': new Error(),
  'with wide characters': new SyntaxError('日本語'),
  'of each class': [new EvalError('e'), new RangeError('r'), new ReferenceError('f'), new URIError('u')],
  'with a cause': new TypeError('outer', { cause: new RangeError('inner', { cause: { a: [1] } }) }),
  'with a cause that is undefined': new Error('x', { cause: undefined }),
  'of a class of the program': new Named('mine'),
  'with members': new AggregateError([new Error('one')], 'many'),
  'of the system': failedRead(),
  'with an accessor as its message': Object.defineProperty(new Error('x'), 'message', { get: () => 'got' }),
  'whose name is that of another class': Object.assign(new Error('x'), { name: 'RangeError' }),
  'whose stack was replaced': Object.assign(new Error('x'), { stack: 'no frames' }),
  'twice in one value': { held, again: held, cause: new Error('outer', { cause: held }) }
}

for (const [title, value] of Object.entries(errors)) {
  test(`an error ${title} arrives as structuredClone gives it`, (t) => {
    const right = structuredClone(value)
    const given = through(value)
    if (types.isNativeError(value)) return t.deepEqual(anatomy(given), anatomy(right))
    for (const key of Object.keys(/** @type {object} */ (value)))
      t.deepEqual(anatomy(given[key]), anatomy(/** @type {any} */ (right)[key]))
    if (title === 'twice in one value') t.true(given.held === given.again && given.cause.cause === given.held)
  })
}

const leadingBack = new Error('leads back')
leadingBack.cause = { error: leadingBack }

for (const [title, value] of Object.entries({
  'whose cause leads back to it': leadingBack,
  'whose message is no text': Object.assign(new Error('x'), { message: 5 }),
  'whose name is no text': Object.assign(new Error('x'), { name: Symbol('name') }),
  'whose stack is no text': Object.assign(new Error('x'), { stack: undefined }),
  'that is a proxy': new Proxy(new Error('x'), {})
})) {
  test(`an error ${title} is left to the engine`, (t) => {
    t.is(
      t.throws(() => through(value), { any: true }),
      UNSUPPORTED
    )
  })
}

test('an error goes there and back, and its task runs while the main thread is blocked', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const error = new TypeError('there', { cause: 'and back' })
  t.deepEqual(anatomy(await pool.run(error)), anatomy(structuredClone(error)))
  t.deepEqual(anatomy(pool.runSync(error)), anatomy(structuredClone(error)))
})

test('whatever a program does to Error, decoding one runs nothing of that and leaves it as it is', async (t) => {
  const { code, stdout, stderr } = await program(`
    const assert = require('node:assert')
    const pool = new rspool.Pool({ filename: fixture('tasks.js'), maxThreads: 1 })
    ;(async () => {
      const error = Object.assign(new RangeError('one'), { stack: 'a stack' })
      const limits = [
        { value: 3, writable: true, configurable: true },
        { value: undefined, writable: true, configurable: true },
        { get() { throw new Error('it was read') }, set() { throw new Error('it was set') }, configurable: true },
        { value: 7, writable: false, configurable: true }
      ]
      for (const limit of limits) {
        Object.defineProperty(Error, 'stackTraceLimit', limit)
        Error.prepareStackTrace = () => { throw new Error('it was called') }
        const given = await pool.run(error)
        delete Error.prepareStackTrace
        assert.strictEqual(given.stack, 'a stack')
        assert.strictEqual(given.message, 'one')
        assert.ok(!Object.keys(given).includes('stack'))
        const after = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')
        assert.strictEqual(after.value, limit.value)
        assert.strictEqual(after.get, limit.get)
        assert.strictEqual(after.writable, limit.writable)
      }
      Object.defineProperty(Error, 'stackTraceLimit', limits[0])
      await pool.close()
      console.log('end')
    })()
  `)
  t.is(code, 0, stderr)
  t.is(stdout.trim(), 'end')
})
