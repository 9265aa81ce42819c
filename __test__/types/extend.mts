// A user's own native task, made known by declaration merging.

import { type BytesLike, Pool, type Results, runTask, tasks } from 'rspool'
import { is } from './assert.mjs'

declare module 'rspool' {
  interface NativeTasks {
    'photo.resize': { input: BytesLike; params: { width?: number; height?: number }; result: Buffer }
    /** Only what is needed. */
    'photo.count': { input: undefined; result: number }
    /** Called as a stream. */
    'photo.rows': { input: BytesLike; params: { from?: number }; result: undefined; chunk: Uint8Array }
  }
}

is<Promise<Buffer>>()(runTask('photo.resize', 'x', { params: { width: 320 } }), true)
is<Promise<Buffer>>()(tasks.photo.resize('x'), true)
is<Promise<number>>()(runTask('photo.count', undefined), true)
// @ts-expect-error
runTask('photo.resize', 'x', { params: { widht: 320 } })
// @ts-expect-error
runTask('photo.resize', 5)
// @ts-expect-error
runTask('photo.count', undefined, { params: { a: 1 } })

const pool = new Pool()
const rows = pool.stream('photo.rows', 'x', { params: { from: 1 }, highWaterMark: 4 })
is<Results<Uint8Array>>()(rows, true)
