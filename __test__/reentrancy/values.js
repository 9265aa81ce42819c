'use strict'

// Places in what a caller gives: the input, the options, the iterables. What is thrown there rejects that call.

const { byPort } = require('../by-port')
const { collect, upTo } = require('./actions')
const { AsyncLocalStorage } = require('node:async_hooks')

const rejects = { thrown: 'rejects' }
const plain = { a: 'hello from a', n: 12345678, b: 'b', c: 'tail' }

/** @type {Record<string, any>} */
const places = {
  'a getter in an input': {
    ...rejects,
    calls(s) {
      const input = {
        a: 'hello from a',
        n: 12345678,
        get b() {
          return s.act('b')
        },
        c: 'tail'
      }
      s.own(input, plain)
    }
  },
  'a getter deep in an input': {
    ...rejects,
    calls(s) {
      const rows = upTo(30).map((id) => ({ id, text: `row ${id}`.repeat(4) }))
      const input = { rows: rows.map((row) => ({ ...row })), tail: 'tail' }
      Object.defineProperty(input.rows[20], 'text', { enumerable: true, get: () => s.act(rows[20].text) })
      s.own(input, { rows, tail: 'tail' })
    }
  },
  'a getter in a large input': {
    ...rejects,
    calls(s) {
      const text = 'large '.repeat(3000)
      const input = {
        text,
        get b() {
          return s.act('b')
        },
        more: text
      }
      s.own(input, { text, b: 'b', more: text })
    }
  },
  'a getter in an input that a port carries': {
    ...rejects,
    lanes: ['script'],
    calls(s) {
      const input = {
        shared: byPort(),
        get b() {
          return s.act('b')
        }
      }
      s.own(input, { shared: byPort(), b: 'b' })
    }
  },
  'a getter in an input with a transferList': {
    ...rejects,
    lanes: ['script'],
    calls(s) {
      const bytes = new Uint8Array([1, 2, 3])
      const input = {
        bytes,
        get b() {
          return s.act('b')
        }
      }
      s.own(input, { bytes: new Uint8Array([1, 2, 3]), b: 'b' }, { transferList: [bytes.buffer] })
    }
  },
  'a Symbol.toStringTag getter of an empty object': {
    ...rejects,
    lanes: ['script'],
    calls(s) {
      const e = {
        get [Symbol.toStringTag]() {
          return s.act('Object')
        }
      }
      s.own({ a: 'aaaaaaaaaaaaaaaa', e, b: 'b' }, { a: 'aaaaaaaaaaaaaaaa', e: {}, b: 'b' })
    }
  },
  'toJSON of an input': {
    ...rejects,
    refusal: 'ERR_RSPOOL_INVALID_ARGUMENT',
    lanes: ['native'],
    calls(s) {
      s.own({ toJSON: () => s.act({ from: 1 }) }, { from: 1 })
    }
  },
  'a proxy as an input': {
    ...rejects,
    refusal: 'ERR_RSPOOL_INVALID_ARGUMENT',
    lanes: ['native'],
    calls(s) {
      s.own(new Proxy({ from: 1 }, { get: (target, key) => s.act(target[key]), ownKeys: () => s.act(['from']) }), {
        from: 1
      })
    }
  },
  'a getter among the options': {
    ...rejects,
    calls(s) {
      const options = {
        get timeout() {
          return s.act(undefined)
        },
        priority: 1
      }
      s.own('with options', 'with options', options)
    }
  },
  'a getter among the params': {
    ...rejects,
    refusal: 'ERR_RSPOOL_INVALID_ARGUMENT',
    lanes: ['native'],
    calls(s) {
      const params = {
        get encoding() {
          return s.act('hex')
        }
      }
      const own = { own: true, what: 'the call itself' }
      s.expect(s.pool.runTask('hash.crc32', 'text', { params }), '3bb935c6', own)
    }
  },
  'a getter in the value of a store that travels': {
    ...rejects,
    lanes: ['script'],
    options: { context: { user: new AsyncLocalStorage() } },
    calls(s) {
      const user = {
        id: 7,
        get name() {
          return s.act('Ada')
        }
      }
      s.own('with a store', 'with a store', { context: { user } })
    }
  },
  'an iterable of inputs': {
    ...rejects,
    calls(s) {
      const inputs = (function* () {
        for (const n of upTo(30)) {
          if (n === 10) s.act()
          yield n
        }
      })()
      s.expect(collect(s.map(inputs)), upTo(30), { own: true, what: 'the mapping' })
    }
  },
  'an async iterable of inputs': {
    ...rejects,
    calls(s) {
      const inputs = (async function* () {
        for (const n of upTo(30)) {
          if (n === 10) s.act()
          yield n
        }
      })()
      s.expect(collect(s.map(inputs)), upTo(30), { own: true, what: 'the mapping' })
    }
  },
  'the return of an iterable of inputs': {
    thrown: 'anyone',
    calls(s) {
      const inputs = {
        [Symbol.iterator]: () => ({
          next: () => ({ done: false, value: 1 }),
          return: () => s.act({})
        })
      }
      const first = (async () => {
        for await (const value of s.map(inputs)) return value
      })()
      s.expect(first, 1, { own: true, what: 'the mapping' })
    }
  },
  'what reads the results of a mapping': {
    ...rejects,
    calls(s) {
      const all = (async () => {
        const values = []
        for await (const value of s.map(upTo(30))) {
          if (value === 10) s.act()
          values.push(value)
        }
        return values
      })()
      s.expect(all, upTo(30), { own: true, what: 'the mapping' })
    }
  },
  'what reads a stream': {
    ...rejects,
    lanes: ['script'],
    calls(s) {
      const all = (async () => {
        const values = []
        for await (const value of s.pool.stream('counts', 30)) {
          if (value === 10) s.act()
          values.push(value)
        }
        return values
      })()
      s.expect(all, upTo(30), { own: true, what: 'the stream' })
    }
  },
  'an iterable that is the input of a stream': {
    ...rejects,
    lanes: ['script'],
    calls(s) {
      const source = (function* () {
        for (const n of upTo(30)) {
          if (n === 10) s.act()
          yield n
        }
      })()
      const doubled = upTo(30).map((n) => 2 * n)
      s.expect(collect(s.pool.stream('doubles', source)), doubled, { own: true, what: 'the stream' })
    }
  },
  'an async iterable that is the input of a stream': {
    ...rejects,
    lanes: ['script'],
    calls(s) {
      const source = (async function* () {
        for (const n of upTo(30)) {
          if (n === 10) s.act()
          yield n
        }
      })()
      const doubled = upTo(30).map((n) => 2 * n)
      s.expect(collect(s.pool.stream('doubles', source)), doubled, { own: true, what: 'the stream' })
    }
  }
}

module.exports = { places }
