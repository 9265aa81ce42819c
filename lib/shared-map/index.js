'use strict'

// A map in memory that several processes and threads share. Its layout, protocol and recovery are in Rust
// (src/memory/map). Its methods are here, and so are the decoded values that this thread keeps.

const { AbortError, RspoolError, invalidArgument } = require('../errors')
const { unlessGivenUp } = require('../later')
const { attempt } = require('../native/attempt')
const native = require('../native/load')
const { abortSignal, callable, duration, limit, readOptions, show, string } = require('../pool/options/validate')
const { MAPPED, MAP_CELL, MAP_NUMBER, PUT } = require('../native/wire')
const { TYPE, remember } = require('./number')

const MAX_KEY = 250
/** A key of at most this many characters never has more bytes than a key may have. */
const SURELY_SHORT = 83
/** A text of at most this many characters is read from the map as fast as from a copy that this thread keeps. */
const SHORT = 16
/** Stands for the map's own time to live. */
const DEFAULT = -1
/** `update` gives up after so many changes of others: chance does not do that, only a function that is very slow, or changes the key itself. */
const MANY_CHANGES = 1000

/** @typedef {import('../native/addon').NativeMap} NativeMap */
/** @typedef {{ ttl?: number | undefined }} PutOptions */

/** A map that exists already. It is passed to the constructor instead of options. */
class Opened {
  /** @param {NativeMap} native */
  constructor(native) {
    this.native = native
  }
}

/** The modules that only maps need: they are loaded with the first map. */
function parts() {
  if (native.Region === undefined) {
    throw new RspoolError(
      'ERR_RSPOOL_UNSUPPORTED',
      `shared maps work on Linux and macOS, and not on ${process.platform}`
    )
  }
  return { ...require('./memory'), ...require('./near'), ...require('./options'), ...require('./values') }
}

const TTL = { ttl: limit }

/** @param {unknown} options @param {string} method */
function readTtl(options, method) {
  if (options === undefined) return DEFAULT
  return readOptions(options, TTL, `${method} options`).ttl ?? DEFAULT
}

class SharedMap {
  #native
  /** The native functions that are called most, where they are found quickest. */
  #get
  #put
  #parts
  /** @type {import('./near').Near|undefined} */
  #near
  /** False if the engine does not show the map's words, which tell whether a kept value is still the same. */
  #keeps = true
  /** @type {import('./compute').Computing|undefined} */
  #computing
  /** Keys for which the function of an `update` is running. @type {Set<string>} */
  #updating = new Set()

  /** @param {unknown} options */
  constructor(options) {
    const all = parts()
    this.#parts = all
    if (options instanceof Opened) this.#native = options.native
    else {
      const { bytes, ttl, evict, maxValueBytes } = all.readMapOptions(options, 'SharedMap options')
      this.#native = attempt(() => all.bound.createMap(bytes, 1, ttl, evict, maxValueBytes))
    }
    this.#get = this.#native.get
    this.#put = this.#native.put
    remember(this, this.#native)
  }

  /**
   * The map that another thread of this process has shared.
   * @param {unknown} shared
   */
  static from(shared) {
    const { type, map } = /** @type {{ type?: unknown, map?: unknown }} */ (Object(shared))
    if (type !== TYPE || typeof map !== 'number') {
      throw invalidArgument(`SharedMap.from: expected what share() of a SharedMap gave, got ${show(shared)}`)
    }
    const joined = parts().bound.joinMap(map)
    if (joined === undefined) throw invalidArgument('SharedMap.from: this process has no such map')
    return new SharedMap(new Opened(joined))
  }

  /** @internal The map of a cluster, made by its primary. @param {import('./options').MapSpec} spec @param {number} seats */
  static create({ bytes, ttl, evict, maxValueBytes }, seats) {
    const { bound } = parts()
    const made = attempt(() => bound.createMap(bytes, seats, ttl, evict, maxValueBytes))
    return { map: new SharedMap(new Opened(made)), native: made }
  }

  /** @internal The map of a cluster, opened in one of its processes. @param {number} fd @param {number} seat */
  static open(fd, seat) {
    const { bound } = parts()
    return new SharedMap(new Opened(attempt(() => bound.openMap(fd, seat))))
  }

  /**
   * The value of a key, undefined if there is none.
   * @param {string} key
   * @returns {unknown}
   */
  get(key) {
    const near = this.#near?.get(key)
    if (near !== undefined) return near
    const value = this.#get(key)
    if (typeof value === 'string') {
      if (value.length > SHORT) this.#nearby()?.keepAgain(key, value)
      return value
    }
    if (typeof value === 'object' && value !== null) return this.#decode(key, value)
    if (value === undefined) check(key)
    return value
  }

  /** @param {string} key */
  has(key) {
    return this.#native.has(key) || check(key)
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @param {PutOptions} [options]
   */
  set(key, value, options) {
    const ttl = readTtl(options, 'set')
    return this.#done(this.#put(key, this.#parts.describe(value, 'set: the value'), PUT.SET, ttl), key)
  }

  /**
   * Puts a value if the key has none.
   * @param {string} key
   * @param {unknown} value
   * @param {PutOptions} [options]
   */
  add(key, value, options) {
    const ttl = readTtl(options, 'add')
    return this.#done(this.#put(key, this.#parts.describe(value, 'add: the value'), PUT.ADD, ttl), key)
  }

  /**
   * Puts a value if the key has the expected one. Undefined as the expected value means that the key has none.
   * @param {string} key
   * @param {unknown} expected
   * @param {unknown} value
   * @param {PutOptions} [options]
   */
  compareAndSet(key, expected, value, options) {
    const ttl = readTtl(options, 'compareAndSet')
    const { describe, hold, resume } = this.#parts
    if (expected === undefined) return this.add(key, value, options)
    // Both values are encoded before the map gets either of them: their getters may call the map.
    const held = hold(describe(value, 'compareAndSet: the value'))
    this.#native.expect(describe(expected, 'compareAndSet: what is expected'))
    return this.#done(this.#put(key, resume(held), PUT.EXPECTED, ttl), key)
  }

  /**
   * Gives a key the value that a function makes of its present one. The function runs again if the present value has
   * changed meanwhile. If the function returns undefined, the value stays as it is.
   * @param {string} key
   * @param {(value: any) => unknown} change
   * @param {PutOptions} [options]
   */
  update(key, change, options) {
    callable(change, 'update: the second argument')
    const given = readTtl(options, 'update')
    if (this.#updating.has(key)) {
      throw new RspoolError(
        'ERR_RSPOOL_MAP_RECURSION',
        `update: the function that changes ${show(key)} calls update of ${show(key)} itself`
      )
    }
    this.#updating.add(key)
    try {
      return this.#update(key, change, given)
    } finally {
      this.#updating.delete(key)
    }
  }

  /** @param {string} key @param {(value: any) => unknown} change @param {number} given the time to live */
  #update(key, change, given) {
    for (let changes = 0; changes < MANY_CHANGES; changes++) {
      const before = this.#get(key)
      const version = this.#parts.numbers[MAP_NUMBER.VERSION]
      const value = typeof before === 'object' && before !== null ? this.#parts.decode(before) : before
      const ttl = given === DEFAULT && value !== undefined ? (this.#native.ttl(key) ?? DEFAULT) : given
      const next = change(value)
      if (next === undefined) return check(key) || value
      const bytes = this.#parts.describe(next, 'update: what the function gave')
      const there = value === undefined ? 0 : version
      if (this.#done(this.#put(key, bytes, PUT.VERSION, ttl, 0, there), key)) return next
    }
    throw new RspoolError(
      'ERR_RSPOOL_MAP_BUSY',
      `update: ${show(key)} changed each of ${MANY_CHANGES} times while the function computed its next value`
    )
  }

  /**
   * @param {string} key
   * @param {number|bigint} [n]
   * @param {{ initial?: number|bigint, ttl?: number }} [options]
   * @returns {number|bigint} a bigint if `n` is one
   */
  increment(key, n = 1, options) {
    const { initial = 0, ttl = DEFAULT } =
      options === undefined ? {} : readOptions(options, { initial: number, ttl: limit }, 'increment options')
    number(n, 'increment: n')
    const sum = this.#native.increment(key, n, initial, ttl)
    if (sum !== undefined) return sum
    throw this.#failure(this.#parts.cells[MAP_CELL.FAILURE], key)
  }

  /** @param {string} key */
  delete(key) {
    return this.#native.remove(key) || check(key)
  }

  /** Milliseconds until the key ends: Infinity if it never does, undefined if there is no such key. @param {string} key */
  ttl(key) {
    const left = this.#native.ttl(key)
    if (left === undefined) check(key)
    return left
  }

  /** Changes when a key ends. @param {string} key @param {number} ttl */
  expire(key, ttl) {
    return this.#done(this.#native.expire(key, limit(ttl, 'expire: the time')), key)
  }

  clear() {
    this.#native.clear()
  }

  /** @param {{ prefix?: string }} [options] */
  *keys(options) {
    const { prefix = '' } = readOptions(options, { prefix: string }, 'keys options')
    for (let from = 0; from >= 0; ) {
      const found = this.#native.keys(from, prefix)
      from = this.#parts.cells[MAP_CELL.NEXT]
      yield* found
    }
  }

  stats() {
    const [bytes, usedBytes, entries, evicted, expired, locksTakenOver, blocksRecovered] = this.#native.statistics()
    return { bytes, usedBytes, entries, evicted, expired, locksTakenOver, blocksRecovered }
  }

  /** A number that every change of the key changes, or 0 if there is no such key. @param {string} key */
  version(key) {
    const version = this.#native.version(key)
    if (version === 0) check(key)
    return version
  }

  /**
   * Resolves with the value once its version differs from the given one.
   * @param {string} key
   * @param {{ version?: number, signal?: AbortSignal, timeout?: number }} [options]
   * @returns {Promise<unknown>}
   */
  async wait(key, options) {
    const {
      version = this.version(key),
      signal,
      timeout = Infinity
    } = readOptions(options, { version: count, signal: abortSignal, timeout: duration }, 'wait options')
    checkWhole(key)
    if (signal?.aborted) throw new AbortError(signal.reason)
    const { wait } = require('./waiting')
    let leave = () => {}
    return unlessGivenUp(
      {
        ms: timeout,
        signal,
        aborted: (reason) => new AbortError(reason),
        late: () => new RspoolError('ERR_RSPOOL_WAIT_TIMEOUT', `${show(key)} did not change within ${timeout} ms`),
        leave: () => leave()
      },
      (resolve) => {
        const look = () => {
          if (this.#native.version(key) === version) return false
          resolve(this.get(key))
          return true
        }
        leave = wait({ native: this.#native, key, look })
      }
    )
  }

  /**
   * The value of a key. If there is none, a function computes it, in only one thread of all processes.
   * @param {string} key
   * @param {(key: string) => unknown} compute
   * @param {{ ttl?: number, stale?: number }} [options]
   * @returns {Promise<unknown>}
   */
  async getOrCompute(key, compute, options) {
    checkWhole(key)
    callable(compute, 'getOrCompute: the second argument')
    const { ttl = DEFAULT, stale = 0 } = readOptions(options, { ttl: limit, stale: duration }, 'getOrCompute options')
    if (this.#computing === undefined) {
      const { Computing } = require('./compute')
      this.#computing = new Computing({
        native: this.#native,
        look: (of) => this.#look(of),
        keep: (of, value, lasts, after) => {
          const bytes = this.#parts.describe(value, 'getOrCompute: what the function gave')
          this.#done(this.#put(of, bytes, PUT.SET, lasts, after), of)
        },
        failure: (status, of) => this.#failure(status, of)
      })
    }
    return this.#computing.get(key, compute, { ttl, stale })
  }

  /** The object that another thread of this process passes to `SharedMap.from()`. */
  share() {
    return { type: TYPE, map: this.#native.share(true) }
  }

  /** The value of a key, even if its time to live is over and only its `stale` time is not. @param {string} key */
  #look(key) {
    const near = this.#near?.get(key)
    if (near !== undefined) return { value: near, stale: false }
    const given = this.#get(key, true)
    if (given === undefined) return undefined
    const stale = this.#parts.cells[MAP_CELL.STALE] !== 0
    const isSimple = typeof given !== 'object' || given === null
    const value = isSimple ? given : this.#decode(key, given, !stale)
    return { value, stale }
  }

  /**
   * @param {string} key
   * @param {ArrayBuffer|Uint8Array} given
   * @param {boolean} [keep]
   */
  #decode(key, given, keep = true) {
    const { decode, isData, freezeAll } = this.#parts
    const value = decode(given)
    if (isData() && freezeAll(/** @type {object} */ (value)) && keep) this.#nearby()?.keep(key, value)
    return value
  }

  #nearby() {
    if (this.#near === undefined && this.#keeps) {
      const words = this.#native.words(false)
      if (words === undefined) this.#keeps = false
      else this.#near = new this.#parts.Near(words, this.#native.keepTime)
    }
    return this.#near
  }

  /** @param {number} status @param {string} key */
  #done(status, key) {
    if (status === MAPPED.YES) return true
    if (status === MAPPED.NO) return check(key)
    throw this.#failure(status, key)
  }

  /** @param {number} status @param {string} key */
  #failure(status, key) {
    switch (status) {
      case MAPPED.FULL:
        return new RspoolError('ERR_RSPOOL_MAP_FULL', `the shared map is full: there is no room for ${show(key)}`)
      case MAPPED.BUSY:
        return new RspoolError(
          'ERR_RSPOOL_MAP_BUSY',
          `${show(key)} would have to wait for a process that is stopped, or has no CPU`
        )
      case MAPPED.LONG_VALUE:
        return invalidArgument(`the value of ${show(key)} has more bytes than 'maxValueBytes' of the shared map`)
      case MAPPED.NO_NUMBER:
        return invalidArgument(`increment: ${show(key)} is no number, or no whole one where it is to be a bigint`)
      case MAPPED.OVERFLOW:
        return invalidArgument(`increment: the sum for ${show(key)} would have more than 64 bits`)
      default:
        return wrongKey(key)
    }
  }
}

/** @param {unknown} value @param {string} label */
function number(value, label) {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value
  throw invalidArgument(`${label} must be a finite number or a BigInt of 64 bits, got ${show(value)}`)
}

/** @param {unknown} value @param {string} label */
function count(value, label) {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw invalidArgument(`${label} must be what version() gave, got ${show(value)}`)
}

/**
 * Throws if the key is not a valid one, since the native call has not reported that. Otherwise returns false.
 * @param {unknown} key
 */
function check(key) {
  if (typeof key !== 'string') throw wrongKey(key)
  if (key.length > SURELY_SHORT && Buffer.byteLength(key) > MAX_KEY) throw wrongKey(key)
  return false
}

/**
 * Throws if the key is not a valid one. A key with half of a character is never there, so the calls that look for one need no
 * more than `check`; but nobody can wait for it.
 * @param {string} key
 */
function checkWhole(key) {
  check(key)
  if (Buffer.byteLength(key) !== key.length && Buffer.from(key).toString() !== key) throw wrongKey(key)
}

/** @param {unknown} key */
function wrongKey(key) {
  return invalidArgument(
    `a key of a shared map must be a string of ${MAX_KEY} bytes at most, without half of a character, got ${show(key)}`
  )
}

module.exports = { SharedMap }
