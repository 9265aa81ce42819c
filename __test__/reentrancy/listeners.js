'use strict'

// Places in what a caller has called back: signals, progress, events. What a listener throws is uncaught and
// harms no call.

const { EventEmitter } = require('node:events')

const uncaught = { thrown: 'uncaught' }
const aborted = { own: true, what: 'the aborted call' }

/** A signal of no known class. */
function handmade(s, where) {
  const listeners = new Set()
  return {
    get aborted() {
      return where === 'aborted' ? s.act(false) : false
    },
    get reason() {
      return where === 'reason' ? s.act('enough') : 'enough'
    },
    addEventListener(_, listener) {
      listeners.add(listener)
      if (where === 'addEventListener') s.act()
    },
    removeEventListener(_, listener) {
      listeners.delete(listener)
      if (where === 'removeEventListener') s.act()
    },
    fire() {
      for (const listener of [...listeners]) listener()
    }
  }
}

/** An event of a pool that something makes happen. */
function event(name, cause, more = {}) {
  return {
    ...uncaught,
    calls(s) {
      const listener = () => s.act()
      s.pool.on(name, listener)
      s.later(() => s.pool.off(name, listener))
      return cause(s)
    },
    ...more
  }
}

/** @type {Record<string, any>} */
const places = {
  'a listener of an AbortSignal, before those of the package': {
    ...uncaught,
    calls(s) {
      const controller = new AbortController()
      controller.signal.addEventListener('abort', () => s.act())
      s.fails(s.endless({ signal: controller.signal }), 'ABORT_ERR', aborted)
      return () => controller.abort()
    }
  },
  'a listener of an AbortSignal, after those of the package': {
    ...uncaught,
    calls(s) {
      const controller = new AbortController()
      s.fails(s.endless({ signal: controller.signal }), 'ABORT_ERR', aborted)
      controller.signal.addEventListener('abort', () => s.act())
      return () => controller.abort()
    }
  },
  'onabort of a signal that a hundred calls share': {
    ...uncaught,
    calls(s) {
      const controller = new AbortController()
      for (let n = 0; n < 100; n++) s.fails(s.endless({ signal: controller.signal }), 'ABORT_ERR', aborted)
      controller.signal.onabort = () => s.act()
      return () => controller.abort()
    }
  },
  "'removeListener' of an EventEmitter as signal": {
    ...uncaught,
    calls(s) {
      const signal = new EventEmitter()
      signal.on('removeListener', () => s.act())
      s.own('first', 'first', { signal })
    }
  },
  "'removeListener' of an EventEmitter that aborts": {
    thrown: 'anyone',
    calls(s) {
      const signal = new EventEmitter()
      signal.on('removeListener', () => s.act())
      s.fails(s.endless({ signal }), 'ABORT_ERR', aborted)
      return () => {
        try {
          signal.emit('abort')
        } catch (error) {
          if (error !== s.thrown) throw error
          // The emitter's caller has it, and the call may not have heard of the abort.
          signal.emit('abort')
        }
      }
    }
  },
  "'newListener' of an EventEmitter as signal": {
    thrown: 'rejects',
    calls(s) {
      const signal = new EventEmitter()
      signal.on('newListener', () => s.act())
      s.own('first', 'first', { signal })
    }
  },
  "the getter 'aborted' of a signal": {
    thrown: 'rejects',
    calls: (s) => void s.own('first', 'first', { signal: handmade(s, 'aborted') })
  },
  "the getter 'reason' of a signal": {
    thrown: 'anyone',
    calls(s) {
      const signal = handmade(s, 'reason')
      s.fails(s.endless({ signal }), 'ABORT_ERR', aborted)
      return () => {
        try {
          signal.fire()
        } catch (error) {
          if (error !== s.thrown) throw error
          signal.fire()
        }
      }
    }
  },
  'addEventListener of a signal': {
    thrown: 'rejects',
    calls: (s) => void s.own('first', 'first', { signal: handmade(s, 'addEventListener') })
  },
  'removeEventListener of a signal': {
    ...uncaught,
    calls: (s) => void s.own('first', 'first', { signal: handmade(s, 'removeEventListener') })
  },
  onProgress: {
    ...uncaught,
    lanes: ['script'],
    calls(s) {
      const options = { onProgress: () => s.act() }
      s.expect(s.pool.runTask('progress', 'done', options), 'done', { own: true, what: 'the call itself' })
    }
  },
  'onProgress of a mapping': {
    thrown: 'anyone',
    calls(s) {
      const all = s.pool.settled([1, 2, 3], s.lane === 'script' ? undefined : 'test.echo', {
        onProgress: () => s.act()
      })
      const expected = [1, 2, 3].map((value) => ({ status: 'fulfilled', value }))
      s.expect(all, expected, { own: true, what: 'the mapping' })
    }
  },
  "the event 'drain'": event('drain', (s) => void s.own('first', 'first')),
  "the event 'workerCreate'": event('workerCreate', (s) => void s.own('first', 'first'), {
    lanes: ['script'],
    fresh: true
  }),
  "the event 'workerExit'": event(
    'workerExit',
    (s) => {
      s.fails(s.pool.runTask('exits'), 'ERR_RSPOOL_WORKER_EXIT', { own: true, what: 'the call that exits' })
    },
    { lanes: ['script'] }
  ),
  "the event 'error'": event(
    'error',
    (s) => {
      s.expect(s.pool.runTask('failsLater', 'left'), 'left', { own: true, what: 'the call itself' })
    },
    { lanes: ['script'], alone: true }
  ),
  "the event 'message'": event(
    'message',
    (s) => {
      s.expect(s.pool.runTask('posts', 'posted'), 'posted', { own: true, what: 'the call itself' })
    },
    { lanes: ['script'] }
  ),
  "the event 'stdout'": event(
    'stdout',
    (s) => {
      s.expect(s.pool.runTask('prints', 'printed'), 'printed', { own: true, what: 'the call itself' })
    },
    { lanes: ['script'], options: { stdout: 'pipe', stderr: 'ignore' } }
  ),
  "the event 'stderr'": event(
    'stderr',
    (s) => {
      s.expect(s.pool.runTask('prints', 'printed'), 'printed', { own: true, what: 'the call itself' })
    },
    { lanes: ['script'], options: { stdout: 'ignore', stderr: 'pipe' } }
  ),
  "the event 'close'": event(
    'close',
    (s) => {
      s.own('first', 'first')
      return () => s.close(() => s.pool.close())
    },
    { fresh: true, ends: true, skip: ['abort'] }
  )
}

module.exports = { places }
