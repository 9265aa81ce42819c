// A task and a port to it.

import type { MessagePort } from 'node:worker_threads'
import { type Channel, Pool } from 'rspool'
import { task } from 'rspool/worker'
import { is } from './assert.mjs'

const pool = new Pool<string, number>({ filename: './worker.js' })

is<Channel<any>>()(pool.channel('talk', 1, { timeout: 5, onProgress() {} }), true)
is<MessagePort>()(pool.channel('talk').port, true)
is<Promise<string>>()(pool.channel<string>('talk', 1).result, true)
is<Channel<number>>()(
  pool.channel((a: number, b: number) => a + b, [1, 2]),
  true
)
is<Channel<number>>()(pool.channel(undefined, 'text'), true)
is<MessagePort | undefined>()(task.port, true)
// @ts-expect-error a port can be sent but once
pool.channel('talk', 1, { retries: 1 })
// @ts-expect-error
pool.channel('hash.sha256', 'x')
// @ts-expect-error
pool.channel((a: number) => a, ['1'])
