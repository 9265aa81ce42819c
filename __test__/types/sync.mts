// Calls that block.

import { Pool, runTaskSync } from 'rspool'
import { is } from './assert.mjs'

const pool = new Pool({ filename: './worker.js' })
const typed = new Pool<{ a: number }, string>({ filename: './worker.js' })

is<any>()(pool.runSync({ a: 4 }), true)
is<number>()(pool.runSync<number>(7, { name: 'square', timeout: 500 }), true)
is<string>()(typed.runSync({ a: 1 }), true)
is<string>()(typed.runSync({ a: 1 }, { timeout: 5 }), true)
is<Buffer>()(pool.runTaskSync('hash.sha256', 'x'), true)
is<string>()(runTaskSync('hash.sha256', 'x', { params: { encoding: 'hex' } }), true)
is<number>()(
  pool.runTaskSync((a: number, b: number) => a + b, [1, 2]),
  true
)
is<boolean>()(
  runTaskSync(async (s: string) => s === '', 'x', { deadline: new Date() }),
  true
)
is<number>()(pool.runTaskSync<number>('square', 7), true)
is<number>()(runTaskSync<number>({ filename: './other.js' }, 3), true)
// @ts-expect-error
typed.runSync({ a: '1' })
// @ts-expect-error nobody could call it
pool.runSync(1, { onProgress() {} })
// @ts-expect-error
pool.runTaskSync('square', 1, { onProgress() {} })
// @ts-expect-error
runTaskSync((a: number) => a, ['1'])
// @ts-expect-error the default pool has no script
runTaskSync('square', 7)
