'use strict'

// One cell of the matrix while it runs: the calls in flight, what each must come to, and the one moment at
// which user code acts.

const { isDeepStrictEqual } = require('node:util')
const { byPort } = require('../by-port')
const rspool = require('../../index.js')

/** @typedef {{ what: string, promise: Promise<any>, expected: any, error?: string, own?: boolean, before?: boolean }} Expected */

const NOTHING = Symbol('nothing')
const ANYTHING = Symbol('anything')

/** Values for both lanes, each of which takes another way: in place, as bytes, as a buffer of its own. */
const VALUES = [
  7,
  -0.5,
  'short',
  'long text '.repeat(40),
  'two bytes: żółć',
  'larger '.repeat(900),
  { a: [1, 'b'] },
  [null, true]
]
/** Those that only the script lane takes. */
const SCRIPT_VALUES = [
  12n ** 30n,
  new Date(5),
  new Map([[1, { two: 3 }]]),
  new Set(['a pattern', /a pattern/g]),
  byPort(),
  undefined
]

/** A task says here that it has run. */
const marks = new Int32Array(new SharedArrayBuffer(4))

class Scene {
  /** Calls whose outcome is known beforehand. @type {Expected[]} */
  calls = []
  /** What went wrong. @type {string[]} */
  problems = []
  /** What was uncaught meanwhile. @type {unknown[]} */
  uncaught = []
  thrown = new SyntaxError('thrown at the place')
  acted = 0
  ended = false
  /** Whether an ending has begun, and the calls made from then on may be refused. */
  ending = false
  /** @type {(value?: unknown) => void} */
  #reach = () => {}
  /** Resolves when the place has been reached. */
  reached = new Promise((resolve) => {
    this.#reach = resolve
  })
  #armed = false
  #undo = /** @type {(() => void)[]} */ ([])

  constructor(pool, lane, action) {
    this.pool = pool
    this.lane = lane
    this.action = action
  }

  /** User code runs here: it acts, once, and gives back what the place needs. */
  act(value) {
    if (!this.#armed) return value
    this.#armed = false
    this.acted++
    this.#reach()
    this.action.act(this)
    return value
  }

  arm() {
    this.#armed = true
  }

  /** To be put back when the cell is over, whatever happens. */
  later(undo) {
    this.#undo.push(undo)
  }

  restore() {
    for (const undo of this.#undo.splice(0).reverse()) undo()
  }

  /** @param {Promise<any>} promise @param {any} expected @param {Partial<Expected>} [more] */
  expect(promise, expected, more = {}) {
    this.calls.push({ what: show(expected), promise, expected, before: !this.ending, ...more })
    promise.catch(() => {})
    return promise
  }

  /** A call that ends with this code or name. */
  fails(promise, error, more = {}) {
    return this.expect(promise, NOTHING, { what: error, error, ...more })
  }

  /** A call of which only that it ends is known. */
  settles(promise, more = {}) {
    return this.expect(promise, ANYTHING, more)
  }

  start(input, options) {
    return this.lane === 'script' ? this.pool.run(input, options) : this.pool.runTask('test.echo', input, options)
  }

  /** A call that gives its input back. */
  echo(input, expected = input, more = {}, options = undefined) {
    return this.expect(this.start(input, options), expected, more)
  }

  /** The call that the place is part of. */
  own(input, expected, options) {
    return this.echo(input, expected, { own: true, what: 'the call itself' }, options)
  }

  echoSync(input) {
    try {
      const got = this.lane === 'script' ? this.pool.runSync(input) : this.pool.runTaskSync('test.echo', input)
      if (!same(got, input)) this.problems.push(`runSync(${show(input)}) gave ${show(got)}`)
    } catch (error) {
      if (!(this.ending && error.code === 'ERR_RSPOOL_POOL_CLOSED'))
        this.problems.push(`runSync(${show(input)}) threw ${error.stack}`)
    }
  }

  map(inputs, options) {
    return this.lane === 'script'
      ? this.pool.map(inputs, undefined, options)
      : this.pool.map(inputs, 'test.echo', options)
  }

  /** A call that ends only when it is given up. */
  endless(options) {
    return this.lane === 'script'
      ? this.pool.runTask('waits', null, options)
      : this.pool.runTask('test.spin', null, options)
  }

  /** A call in flight that the action gives up. */
  addVictim() {
    this.victim = new AbortController()
    this.fails(this.endless({ signal: this.victim.signal }), 'ABORT_ERR')
  }

  addBystanders() {
    for (const value of VALUES) {
      this.expect(this.pool.runTask('test.echo', value), value)
      this.expect(this.pool.run(value), value)
    }
    for (const value of SCRIPT_VALUES) this.expect(this.pool.run(value), value)
    this.fails(this.pool.runTask('throws'), 'E_RANGE')
    this.fails(this.pool.runTask('decompress.gzip', 'no gzip'), 'ERR_RSPOOL_CORRUPT_INPUT')
  }

  /** Lets results collect, so that many of them are drained at once: until a last task has run, if it can. */
  block() {
    Atomics.store(marks, 0, 0)
    this.expect(this.pool.runTask('marks', 'marked'), 'marked')
    Atomics.wait(marks, 0, 0, 20)
  }

  close(end) {
    this.ending = true
    this.ended = true
    this.closing = end()
    this.closing.catch(() => {})
  }

  /** Judges every call that was made. */
  async judge(place) {
    const throws = this.action.name === 'throw'
    // Of several only one meets it.
    let mayFail = throws && place.thrown === 'anyone' ? 1 : 0
    for (let i = 0; i < this.calls.length; i++) {
      const { what, promise, expected, error, own, before } = this.calls[i]
      const [{ status, value, reason }] = await Promise.allSettled([promise])
      if (expected === ANYTHING) continue
      if (
        status === 'fulfilled' &&
        expected !== NOTHING &&
        !(own && throws && place.thrown === 'rejects') &&
        same(value, expected)
      )
        continue
      if (status === 'rejected') {
        const name = reason?.code ?? reason?.name
        if (error !== undefined && (name === error || reason?.name === error)) continue
        if (throws && isThrown(reason, this.thrown) && (mayFail-- > 0 || (own && place.thrown === 'rejects'))) continue
        if (own && place.refusal !== undefined && name === place.refusal) continue
        if (place.shares && this.action.name === 'exit' && name === 'ERR_RSPOOL_WORKER_EXIT') continue
        const refused = name === 'ERR_RSPOOL_POOL_CLOSED'
        // What was in flight when it was closed ends as if it had not been.
        if (refused && this.ended && (this.action.name === 'destroy' || place.ends || !before || own)) continue
        this.problems.push(`${what} rejected: ${reason?.stack ?? show(reason)}`)
      } else this.problems.push(`${what} resolved with ${show(value)}`)
    }
    const uncaught = this.uncaught.filter((each) => !(throws && isThrown(each, this.thrown)))
    for (const each of uncaught) this.problems.push(`uncaught: ${each?.stack ?? show(each)}`)
    if (throws && place.thrown === 'uncaught' && this.uncaught.length === 0)
      this.problems.push('what was thrown there is nowhere to be seen')
    if (this.acted === 0) this.problems.push('the place was never reached')
  }
}

function isThrown(reason, thrown) {
  return reason === thrown || reason?.message === thrown.message || reason?.cause === thrown
}

/** Bytes compare as bytes: the native lane gives Buffers. */
function same(a, b) {
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) return Buffer.compare(asBytes(a), asBytes(b)) === 0
  return isDeepStrictEqual(a, b)
}

const asBytes = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength)

function show(value) {
  const text = require('node:util').inspect(value, { breakLength: Infinity })
  return text.length > 90 ? `${text.slice(0, 80)}… (${text.length} characters)` : text
}

module.exports = { Scene, marks, rspool, show }
