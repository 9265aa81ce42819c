'use strict'

const path = require('node:path')
const test = require('ava')
const { failure, makePool, program, taskPool, rspool, directory } = require('./helpers')

const { errors } = rspool

/** What a function throws in a worker, as it arrives. */
async function thrownBy(t, fn, ...args) {
  const pool = makePool(t, { maxThreads: 1 })
  const where = () => require('node:worker_threads').threadId
  const before = await pool.runTask(where)
  const error = await failure(pool.runTask(fn, ...args))
  t.is(await pool.runTask(where), before, 'the worker works on')
  return error
}

test('an error keeps its name, message, code and own properties', async (t) => {
  const error = await thrownBy(t, () => {
    throw Object.assign(new RangeError('out of range'), { code: 'E_RANGE', detail: { list: [1, { n: 2 }] }, errno: -2 })
  })
  t.true(error instanceof RangeError)
  t.is(error.name, 'RangeError')
  t.is(error.message, 'out of range')
  t.is(error.code, 'E_RANGE')
  t.is(error.errno, -2)
  t.deepEqual(error.detail, { list: [1, { n: 2 }] })
  t.false(Object.keys(error).includes('stack'))
  t.false(Object.keys(error).includes('message'))
})

test('a rejection is as a throw', async (t) => {
  const error = await thrownBy(t, async () => {
    throw Object.assign(new TypeError('later'), { code: 'E_LATER' })
  })
  t.true(error instanceof TypeError)
  t.is(error.message, 'later')
  t.is(error.code, 'E_LATER')
})

for (const name of ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError', 'EvalError', 'URIError']) {
  test(`a built-in class arrives as that class: ${name}`, async (t) => {
    const error = await thrownBy(
      t,
      (name) => {
        throw new globalThis[name]('message')
      },
      name
    )
    t.is(error.constructor, globalThis[name])
    t.is(error.name, name)
    t.is(String(error), `${name}: message`)
  })
}

test('a class of the user arrives with its name, as its nearest built-in class', async (t) => {
  const error = await thrownBy(t, () => {
    class ValidationError extends TypeError {
      constructor(message, field) {
        super(message)
        this.name = 'ValidationError'
        this.field = field
      }
    }
    class NestedError extends ValidationError {}
    throw new NestedError('bad', 'age')
  })
  t.true(error instanceof TypeError)
  t.is(error.name, 'ValidationError')
  t.is(error.field, 'age')
  t.is(error.message, 'bad')
})

test('a name on the prototype arrives', async (t) => {
  const error = await thrownBy(t, () => {
    class Custom extends Error {
      get name() {
        return 'FromGetter'
      }
    }
    throw new Custom('m')
  })
  t.is(error.name, 'FromGetter')
})

test('the chain of causes arrives', async (t) => {
  const error = await thrownBy(t, () => {
    const root = Object.assign(new RangeError('root'), { code: 'E_ROOT' })
    throw new Error('outer', { cause: new TypeError('middle', { cause: root }) })
  })
  t.is(error.message, 'outer')
  t.true(error.cause instanceof TypeError)
  t.is(error.cause.message, 'middle')
  t.true(error.cause.cause instanceof RangeError)
  t.is(error.cause.cause.code, 'E_ROOT')
  t.false('cause' in error.cause.cause)
})

test('a cause that is no error arrives', async (t) => {
  const causes = [0, null, undefined, 'text', { plain: [1] }]
  for (const cause of causes) {
    const error = await thrownBy(
      t,
      (cause) => {
        throw new Error('outer', { cause })
      },
      [cause]
    )
    t.true('cause' in error)
    t.deepEqual(error.cause, cause)
  }
})

test('a chain of causes that is a cycle ends', async (t) => {
  const error = await thrownBy(t, () => {
    const a = new Error('a')
    const b = new Error('b', { cause: a })
    a.cause = b
    throw a
  })
  t.is(error.message, 'a')
  t.is(error.cause.message, 'b')
  t.is(error.cause.cause.message, 'a')
})

test('members that hold each other do not take all memory', async (t) => {
  const error = await thrownBy(t, () => {
    const all = new AggregateError([], 'all')
    all.errors.push(all, all, all, all)
    throw all
  })
  t.is(error.message, 'all')
  t.is(error.errors.length, 4)
  t.is(error.errors[0], error)
})

test('the members of an AggregateError arrive', async (t) => {
  const error = await thrownBy(t, () =>
    Promise.any([
      Promise.reject(Object.assign(new TypeError('one'), { code: 'E_1' })),
      Promise.reject(new Error('two', { cause: new RangeError('why') })),
      Promise.reject('three')
    ])
  )
  t.true(error instanceof AggregateError)
  t.is(error.errors.length, 3)
  t.true(error.errors[0] instanceof TypeError)
  t.is(error.errors[0].code, 'E_1')
  t.is(error.errors[1].cause.message, 'why')
  t.is(error.errors[2], 'three')
})

test('a DOMException arrives as one', async (t) => {
  const error = await thrownBy(t, () => {
    throw new DOMException('gone', 'NotFoundError')
  })
  t.true(error instanceof DOMException)
  t.is(error.name, 'NotFoundError')
  t.is(error.message, 'gone')
  t.is(error.code, DOMException.NOT_FOUND_ERR)
})

test("an abort of the script's own is the script's error", async (t) => {
  const error = await thrownBy(t, () => AbortSignal.abort().throwIfAborted())
  t.is(error.name, 'AbortError')
  t.true(error instanceof DOMException)
})

test('an error of Node keeps its code', async (t) => {
  const error = await thrownBy(t, () => require('node:fs').readFileSync('/no/such/file'))
  t.is(error.code, 'ENOENT')
  t.is(error.syscall, 'open')
  t.is(error.path, '/no/such/file')
  t.true(error.errno < 0)
  const assertion = await thrownBy(t, () => require('node:assert').strictEqual(1, 2))
  t.is(assertion.code, 'ERR_ASSERTION')
  t.is(assertion.actual, 1)
})

for (const value of [undefined, null, 0, -0, NaN, '', 'text', 1n, true, { code: 'E', n: 1 }, [1, [2]]]) {
  test(`a thrown value that is no error arrives as it is: ${require('node:util').inspect(value)}`, async (t) => {
    for (const fn of [
      (value) => {
        throw value
      },
      (value) => Promise.reject(value)
    ]) {
      const thrown = await thrownBy(t, fn, [value])
      if (typeof value === 'object') t.deepEqual(thrown, value)
      else t.is(thrown, value)
    }
  })
}

test('a thrown value that cannot be cloned arrives as an error that says so', async (t) => {
  for (const fn of [
    () => {
      throw () => {}
    },
    () => {
      throw Symbol('unusual')
    },
    () => {
      throw { f() {} }
    }
  ]) {
    const error = await thrownBy(t, fn)
    t.true(error instanceof Error)
    t.regex(error.message, /cannot be cloned/)
  }
})

test('properties that cannot be cloned are left out, the others stay', async (t) => {
  const error = await thrownBy(t, () => {
    throw Object.assign(new Error('e'), { fn() {}, socket: Promise.resolve(), keep: 1 })
  })
  t.is(error.keep, 1)
  t.false('fn' in error)
  t.false('socket' in error)
})

test('an error whose properties throw arrives all the same', async (t) => {
  const error = await thrownBy(t, () => {
    const error = new Error('m')
    for (const key of ['name', 'message', 'code', 'stack', 'cause', 'errors']) {
      Object.defineProperty(error, key, {
        enumerable: true,
        get() {
          throw new Error(`no ${key}`)
        }
      })
    }
    throw error
  })
  t.true(error instanceof Error)
})

test('a thrown proxy arrives as something', async (t) => {
  const error = await thrownBy(t, () => {
    throw new Proxy(new Error('inside'), {
      get() {
        throw new Error('trap')
      },
      getPrototypeOf() {
        throw new Error('trap')
      }
    })
  })
  t.true(error instanceof Error)
})

test('an own __proto__ property of an error changes no prototype', async (t) => {
  const error = await thrownBy(t, () => {
    const error = new Error('m')
    Object.defineProperty(error, '__proto__', { value: { polluted: true }, enumerable: true })
    throw error
  })
  t.is(Object.getPrototypeOf(error), Error.prototype)
  t.is({}.polluted, undefined)
})

test('the stack has the place in the script, and the callers that wait', async (t) => {
  const dir = directory(t, {
    'deep.js': `module.exports = () => inner()
function inner() { throw new Error('deep') }`
  })
  const pool = makePool(t, { filename: path.join(dir, 'deep.js'), maxThreads: 1 })
  async function theCaller() {
    await pool.run(1)
  }
  async function itsCaller() {
    await theCaller()
  }
  const error = await failure(itsCaller())
  t.regex(error.stack, /^Error: deep\n/)
  t.regex(error.stack, /at inner .*deep\.js:2/)
  t.regex(error.stack, /at async theCaller .*errors\.spec\.js/)
  t.regex(error.stack, /at async itsCaller .*errors\.spec\.js/)
})

test('errors of the pool have the callers that wait', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1, abortGrace: 0 })
  async function theCaller(call) {
    await call()
  }
  async function theReader(items) {
    for await (const _ of items);
  }
  const throws = () => {
    throw new Error('thrown', { cause: new TypeError('why') })
  }
  const rows = function* () {
    yield 1
    throw new Error('thrown', { cause: new TypeError('why') })
  }
  const cases = {
    ERR_RSPOOL_TASK_TIMEOUT: () => theCaller(() => pool.runTask('loop', 0, { timeout: 5 })),
    ERR_RSPOOL_DEADLINE: () => theCaller(() => pool.runTask('loop', 0, { deadline: Date.now() + 5 })),
    ERR_RSPOOL_WORKER_EXIT: () => theCaller(() => pool.runTask('exits', 3)),
    ERR_RSPOOL_INVALID_ARGUMENT: () => theCaller(() => pool.runTask('hash.crc32', 5)),
    ABORT_ERR: () => theCaller(() => pool.runTask('loop', 0, { signal: AbortSignal.timeout(20) })),
    map: () => theReader(pool.map([[]], throws)),
    stream: () => theReader(pool.stream(rows, []))
  }
  for (const [code, call] of Object.entries(cases)) {
    const error = await failure(call())
    t.is(error.code ?? code, code)
    t.true(error.stack.startsWith(`${error.name}: ${error.message}\n`), error.stack)
    t.regex(error.stack, /at async the(Caller|Reader) .*errors\.spec\.js/)
    if (error.code !== undefined)
      t.notRegex(error.stack, /[\\/]lib[\\/](task|environment)\.js/, 'nothing of the inside')
    else t.false(error.cause.stack.includes('at async'), 'what it holds has its own place alone')
  }
})

test('errors of the pool have a class, a stable code, and are known across copies of the package', async (t) => {
  const { pool } = taskPool(t, { maxThreads: 1 })
  const unknown = await failure(pool.run(1, { name: 'nothing' }))
  t.true(unknown instanceof errors.UnknownTaskError)
  t.true(unknown instanceof errors.RspoolError)
  t.is(unknown.name, 'UnknownTaskError')
  t.is(unknown.constructor, errors.UnknownTaskError)
  const invalid = await failure(pool.run(1, { timeout: -1 }))
  t.true(invalid instanceof errors.InvalidArgumentError)
  t.true(invalid instanceof errors.RspoolError)
  t.true(invalid instanceof TypeError)
  const start = await failure(pool.run(1, { filename: '/no/such/script.js' }))
  t.true(start instanceof errors.WorkerStartError)
  t.is(start.cause.code, 'ERR_MODULE_NOT_FOUND')
  t.false(new Error('x') instanceof errors.RspoolError)
  t.false(null instanceof errors.RspoolError)
  t.false(unknown instanceof errors.WorkerStartError)
})

test('every class has its own code', (t) => {
  const made = Object.entries(errors)
    .filter(([name]) => /Error$/.test(name) && name !== 'RspoolError')
    .map(([name, Class]) => [name, new Class('message')])
  t.true(made.length >= 11)
  for (const [name, error] of made) {
    t.is(error.name, name)
    t.regex(error.code, name === 'AbortError' ? /^ABORT_ERR$/ : /^ERR_RSPOOL_[A-Z_]+$/)
    t.regex(error.stack, new RegExp(`^${name}: `))
    t.deepEqual(
      Object.keys(error).filter((key) => key !== 'code' && key !== 'exitCode'),
      []
    )
  }
  t.is(new Set(made.map(([, { code }]) => code)).size, made.length)
})

test('something that is no error and cannot be cloned arrives as an error with what it says of itself', async (t) => {
  const custom = await thrownBy(t, () => {
    class Refusal {
      message = 'Custom error'
      details = { v: 42 }
      callback = () => {}
      toJSON() {
        return { status: 418, callback: this.callback }
      }
    }
    throw new Refusal()
  })
  t.true(custom instanceof Error)
  t.is(custom.name, 'Error')
  t.is(custom.message, 'Custom error')
  t.deepEqual({ ...custom }, { status: 418, details: { v: 42 } })

  const named = await thrownBy(t, () => {
    throw { name: 'HttpError', message: 'gone', status: 410, send() {} }
  })
  t.is(String(named), 'HttpError: gone')
  t.is(named.status, 410)

  const strange = await thrownBy(t, () => {
    throw {
      get message() {
        throw new Error('not mine')
      },
      toJSON() {
        throw new Error('nor this')
      },
      fn() {}
    }
  })
  t.regex(strange.message, /a value that cannot be cloned was thrown/)
  t.regex(
    (
      await thrownBy(t, () => {
        throw Symbol('x')
      })
    ).message,
    /Symbol\(x\)/
  )
  t.regex(
    (
      await thrownBy(t, () => {
        throw function mine() {}
      })
    ).message,
    /cannot be cloned was thrown: function mine/
  )
})

for (const where of ['the caller', 'the worker', 'both']) {
  test(`an error arrives where Error.prepareStackTrace of ${where} gives call sites`, async (t) => {
    const sites = 'Error.prepareStackTrace = (_, sites) => sites'
    const { stdout } = await program(`
      ${where === 'the worker' ? '' : sites}
      const pool = new rspool.Pool({ maxThreads: 1 })
      const fails = ${
        where === 'the caller'
          ? "() => { throw new RangeError('mine') }"
          : "() => { Error.prepareStackTrace = (_, sites) => sites; throw new RangeError('mine') }"
      }
      async function caller() { await pool.runTask(fails) }
      const show = (error) => console.log(error.name, error.message, typeof error.stack)
      ;(async () => {
        await caller().catch(show)
        await pool.runTask('hash.nothing').catch((error) => console.log(error.code))
        await pool.settled([1], () => { throw new Error('one of many') }).then(([{ reason }]) => show(reason))
        for await (const _ of pool.map([1], () => { throw new Error('the first of many') })) ;
      })().catch(show)
    `)
    t.is(
      stdout,
      'RangeError mine string\nERR_RSPOOL_UNKNOWN_TASK\nError one of many string\nError the first of many string\n'
    )
  })
}
