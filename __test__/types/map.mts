// Many inputs through one task.

import { Pool, type Results } from 'rspool'
import { is } from './assert.mjs'

const pool = new Pool({ filename: './worker.js' })
const typed = new Pool<{ a: number }, string>({ filename: './worker.js' })
async function* numbers() {
  yield 1
}

is<Results<number>>()(
  pool.map([1, 2], (n: number) => n * n),
  true
)
is<Results<number>>()(
  pool.map(numbers(), async (n: number) => n * n, { chunk: 'auto', concurrency: 4, ordered: false }),
  true
)
is<Results<string>>()(
  pool.map([[1, 'x']], (n: number, s: string) => s.repeat(n)),
  true
)
is<Results<number>>()(pool.map(['a'], 'hash.crc32', { params: { value: 5 } }), true)
is<Results<bigint>>()(pool.map(new Set(['a']), 'hash.xxh3'), true)
is<Results<any>>()(pool.map([1], 'square'), true)
is<Results<number>>()(pool.map<number>([1], 'square'), true)
is<Results<any>>()(pool.map([1], { filename: './other.js' }), true)
is<Results<string>>()(typed.map([{ a: 1 }]), true)
pool.map([1], 'square', { deadline: new Date(), retries: 2, priority: 1 })
pool.stream('count', 1, { deadline: Date.now(), onProgress() {} })
// @ts-expect-error what was yielded cannot be taken back
pool.stream('count', 1, { retries: 1 })
// @ts-expect-error
pool.map([1], 'square', { transferList: [] })
is<Results<string>>()(
  typed.map([{ a: 1 }], undefined, { onProgress: ({ completed, total }) => [completed, total] }),
  true
)
is<Promise<PromiseSettledResult<number>[]>>()(
  pool.settled([1], (n: number) => n),
  true
)
is<Promise<PromiseSettledResult<string>[]>>()(typed.settled([{ a: 1 }]), true)

// @ts-expect-error
typed.map([{ a: '1' }])
// @ts-expect-error
pool.map(5, 'square')
// @ts-expect-error
pool.map([1], 'square', { chunk: 'all' })
// @ts-expect-error
pool.map([1], 'square', { chunks: 5 })
// @ts-expect-error
pool.map(['a'], (n: number) => n)
// @ts-expect-error settled never stops on an error
pool.settled([1], 'square', { stopOnError: true })
// @ts-expect-error
pool.map([5], 'hash.crc32')

export async function all() {
  for await (const n of pool.map([1, 2], (n: number) => n)) is<number>()(n, true)
}
