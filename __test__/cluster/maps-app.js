'use strict'

// An HTTP server with a cache that all processes share, and processes that do with the maps what the tests ask for.

const http = require('node:http')

module.exports = (context) => {
  const { maps, counters, send } = context
  const { cache } = maps
  /** What each command does; `map` is the one that was asked for. */
  const commands = {
    call: (map, { method, args }) => map[method](...args),
    keys: (map) => [...map.keys()],
    frozen: (map, { key }) => {
      const value = map.get(key)
      return Object.isFrozen(value) && map.get(key) === value
    },
    wait: (map, { key }) => map.wait(key, { version: 0 }),
    /** Computes for ever. */
    hold: (map, { key }) => {
      map.getOrCompute(key, () => new Promise(() => send({ computes: key })))
    },
    compute: (map, { key, value }) => map.getOrCompute(key, () => value),
    count: (map, { key, times }) => {
      for (let n = 0; n < times; n++) map.increment(key)
    },
    /** Has every page of the map in this process. */
    fill: (map) => {
      const value = 'x'.repeat(2 ** 22)
      for (let n = 0; n < 60; n++) map.set(`large ${n}`, value)
    },
    /** Writes values that say what they are until it is killed. */
    hammer: (map, { seed }) => {
      send({ hammers: process.pid })
      const turn = () => {
        for (let n = 0; n < 200; n++) {
          const own = (seed * 31 + n * 7) % 50
          map.set(`shared ${own}`, `${own}:${'x'.repeat((n * 37) % 700)}:${own}`)
          map.increment('begun')
          map.increment('counted')
          map.increment('done')
          if (n % 9 === 0) map.delete(`shared ${(own * 3) % 50}`)
        }
        setImmediate(turn)
      }
      turn()
    }
  }
  context.onRequest(({ command, map = 'cache', ...rest }) => commands[command](maps[map], rest))
  const answer = async (request, response) => {
    const url = new URL(request.url, 'http://host')
    const key = url.searchParams.get('key')
    if (url.pathname === '/put') {
      cache.set(key, url.searchParams.get('value'))
      return response.end('put')
    }
    response.end(
      await cache.getOrCompute(key, () => {
        counters.add('requests')
        return 'computed'
      })
    )
  }
  http.createServer(answer).listen(Number(process.env.APP_PORT))
}
