'use strict'

// Places in the engine itself: stack traces, accessors of Object.prototype, replaced built-ins, reactions.

/** Nothing of it is the call's own: at most one call fails, with what was thrown. */
const anyone = { thrown: 'anyone' }

/** @type {Record<string, any>} */
const places = {
  'a reaction of the call': {
    ...anyone,
    calls(s) {
      const reaction = s.start('first').then((value) => s.act(value))
      s.expect(reaction, 'first', { own: true, what: 'the reaction' })
    }
  },
  'a reaction of a call that fails': {
    ...anyone,
    calls(s) {
      const failing = s.lane === 'script' ? s.pool.runTask('throws') : s.pool.runTask('decompress.gzip', 'no gzip')
      const reaction = failing.catch(() => s.act('caught'))
      s.expect(reaction, 'caught', { own: true, what: 'the reaction' })
    }
  },
  'Error.prepareStackTrace': {
    ...anyone,
    calls(s) {
      const before = Error.prepareStackTrace
      Error.prepareStackTrace = (error, sites) => s.act(`${error}\n    at ${sites.join('\n    at ')}`)
      s.later(() => (Error.prepareStackTrace = before))
      const call = s.lane === 'script' ? s.pool.runTask('throws') : s.pool.runTask('decompress.gzip', 'no gzip')
      const code = s.lane === 'script' ? 'E_RANGE' : 'ERR_RSPOOL_CORRUPT_INPUT'
      const seen = call.catch((error) => {
        if (typeof error.stack !== 'string') s.problems.push('the error has no stack')
        throw error
      })
      s.fails(seen, code, { own: true, what: 'the call that fails' })
    }
  },
  'Error.prepareStackTrace that gives no text': {
    ...anyone,
    calls(s) {
      const before = Error.prepareStackTrace
      Error.prepareStackTrace = (_, sites) => s.act(sites)
      s.later(() => (Error.prepareStackTrace = before))
      const call = s.lane === 'script' ? s.pool.runTask('throws') : s.pool.runTask('decompress.gzip', 'no gzip')
      const code = s.lane === 'script' ? 'E_RANGE' : 'ERR_RSPOOL_CORRUPT_INPUT'
      const seen = call.catch((error) => {
        void error.stack
        throw error
      })
      s.fails(seen, code, { own: true, what: 'the call that fails' })
    }
  }
}

for (const key of ['then', 'b', 'timeout', 'signal', 'value', 'code', 'cause', 'message', 'transfer', 'settle', '0']) {
  places[`an accessor Object.prototype.${key}`] = {
    ...anyone,
    calls(s) {
      Object.defineProperty(Object.prototype, key, {
        configurable: true,
        get() {
          return s.act(undefined)
        },
        set(value) {
          s.act()
          Object.defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true })
        }
      })
      s.later(() => delete Object.prototype[key])
      s.own({ a: 1, b: { c: 'c' } }, { a: 1, b: { c: 'c' } })
      // Whoever else reads it: the place is reached in any case.
      return () => void {}[key]
    }
  }
}

module.exports = { places }
