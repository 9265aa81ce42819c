'use strict'

// What user code does at a place of the matrix. Each is given a scene: a pool, a lane, and what is in flight.

const { once } = require('node:events')

const upTo = (n) => Array.from({ length: n }, (_, i) => i)

async function collect(iterable) {
  const values = []
  for await (const value of iterable) values.push(value)
  return values
}

/** @type {Record<string, (scene: any) => void>} */
const actions = {
  run(scene) {
    scene.echo('nested '.repeat(90))
    scene.echo({ nested: [1, 'two', { three: 3 }] })
  },
  runSync(scene) {
    for (const input of ['sync '.repeat(120), { sync: [1, 2.5, 'three'] }, 7]) scene.echoSync(input)
  },
  map(scene) {
    scene.expect(collect(scene.map(upTo(40))), upTo(40))
  },
  large(scene) {
    scene.echo('large '.repeat(20_000))
    scene.echo(new Uint8Array(100_000).fill(5))
    scene.echoSync('large and sync '.repeat(5000))
  },
  abort(scene) {
    scene.victim.abort()
  },
  close(scene) {
    scene.close(() => scene.pool.close())
  },
  destroy(scene) {
    scene.close(() => scene.pool.destroy())
  },
  throw(scene) {
    throw scene.thrown
  },
  exit() {
    process.exit(7)
  }
}

module.exports = { actions, collect, upTo, once }
