// A user's own native task, made known by declaration merging.

import { type BytesLike, runTask, tasks } from 'rspool'
import { is } from './assert.mjs'

declare module 'rspool' {
  interface NativeTasks {
    'image.resize': { input: BytesLike; params: { width?: number; height?: number }; result: Buffer }
    /** Only what is needed. */
    'image.count': { input: undefined; result: number }
  }
}

is<Promise<Buffer>>()(runTask('image.resize', 'x', { params: { width: 320 } }), true)
is<Promise<Buffer>>()(tasks.image.resize('x'), true)
is<Promise<number>>()(runTask('image.count', undefined), true)
// @ts-expect-error
runTask('image.resize', 'x', { params: { widht: 320 } })
// @ts-expect-error
runTask('image.resize', 5)
// @ts-expect-error
runTask('image.count', undefined, { params: { a: 1 } })
