// Streams, and exports as functions.

import type { Duplex } from 'node:stream'
import { type AnyExports, type Moved, move, Pool, type Results } from 'rspool'
import { is } from './assert.mjs'

const pool = new Pool({ filename: './worker.js' })

is<Results<any>>()(pool.stream('rows', 'file', { highWaterMark: 10 }), true)
is<Results<string>>()(pool.stream<string>('rows', 'file'), true)
is<Results<any>>()(pool.stream({ filename: './other.js' }), true)
is<Results<number>>()(
  pool.stream(
    function* (n: number) {
      for (let i = 0; i < n; i++) yield i
    },
    [5]
  ),
  true
)
is<Results<Uint8Array<ArrayBuffer>>>()(
  pool.stream(
    async function* (n: number) {
      yield move(new Uint8Array(n))
    },
    [5]
  ),
  true
)
is<Duplex>()(pool.pipe('doubles', { highWaterMark: 1 }), true)
// @ts-expect-error
pool.stream('rows', 'file', { highWatermark: 10 })
// @ts-expect-error not an iterable
pool.stream((n: number) => n, [5])
// @ts-expect-error
pool.pipe('doubles', { chunk: 5 })

interface Script {
  square: (n: number) => number
  later(text: string): Promise<string>
  now(): Date
  maybe(n?: number): number
  bytes(n: number): Moved<ArrayBuffer>
  setup(data: unknown): void
  then(): void
  version: string
}
const api = pool.exports<Script>()
is<Promise<number>>()(api.square(7), true)
is<Promise<string>>()(api.later('x', { timeout: 5 }), true)
is<Promise<Date>>()(api.now(), true)
is<Promise<number>>()(api.maybe(), true)
is<Promise<ArrayBuffer>>()(api.bytes(5), true)
is<'square' | 'later' | 'now' | 'maybe' | 'bytes'>()(null as unknown as keyof typeof api, true)
// @ts-expect-error
api.square('7')
// @ts-expect-error
api.square()
// @ts-expect-error
api.square(7, { timout: 5 })
// @ts-expect-error
api.square = api.maybe
is<AnyExports>()(pool.exports(), true)

export async function awaited() {
  is<Promise<number>>()((await api).square(7), true)
}
