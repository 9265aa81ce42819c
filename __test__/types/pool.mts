// Pools: making, calling, reading and ending them.

import { EventEmitter } from 'node:events'
import { SHARE_ENV } from 'node:worker_threads'
import rspool, {
  cpuCount,
  move,
  Pool,
  type PoolOptions,
  type PoolStats,
  type RunOptions,
  runTask,
  shareCpu,
  type TaskResult,
  WorkerPool
} from 'rspool'
import { is } from './assert.mjs'

const pool = new Pool({ filename: new URL('worker.mjs', import.meta.url), maxThreads: 4 })
const { signal } = new AbortController()

// ---- making

new Pool()
new Pool({
  filename: './worker.js',
  name: 'main',
  minThreads: 0,
  maxThreads: cpuCount(),
  idleTimeout: Infinity,
  maxQueue: 'auto',
  concurrentTasksPerWorker: 8,
  timeout: 1000,
  queueTimeout: 1000,
  abortGrace: 50,
  workerData: { any: 'thing' },
  transferList: [new ArrayBuffer(8)],
  env: SHARE_ENV,
  argv: ['a', 1],
  execArgv: ['--expose-gc'],
  resourceLimits: { maxOldGenerationSizeMb: 64 },
  trackUnmanagedFds: true,
  stdout: 'pipe',
  stderr: 'ignore',
  startTimeout: 1000,
  groups: { a: { weight: 3 }, b: { maxRunning: Infinity }, c: {} },
  recycle: { tasks: 100, heap: 1e8, age: 3_600_000, rss: 1e9 },
  isolate: false,
  niceIncrement: 5,
  pin: true
})
new Pool({ filename: undefined, env: { A: '1', B: undefined } })
new WorkerPool(4, './worker.js')
new WorkerPool(4, new URL('file:///worker.js'), { idleTimeout: 10 })
const options: PoolOptions = { maxThreads: 2 }
new Pool(options)

// @ts-expect-error an unknown option
new Pool({ maxThread: 4 })
// @ts-expect-error
new Pool({ maxThreads: '4' })
// @ts-expect-error
new Pool('./worker.js')
// @ts-expect-error
new Pool({ maxQueue: 'none' })
// @ts-expect-error
new Pool({ execArgv: [1] })
// @ts-expect-error the script is missing
new WorkerPool(4)
// @ts-expect-error the positional form has them already
new WorkerPool(4, './worker.js', { maxThreads: 8 })

// ---- run

is<Promise<any>>()(pool.run({ a: 4, b: 6 }), true)
is<Promise<any>>()(pool.run(), true)
is<Promise<number>>()(pool.run<number>({ a: 4, b: 6 }), true)
is<Promise<number>>()(pool.run<number>(7, { name: 'square', signal, timeout: 500 }), true)
is<Promise<any>>()(pool.run('text', { filename: './other.js', transferList: [], priority: 5 }), true)
pool.run(7, { signal: new EventEmitter() })
const given: RunOptions = { name: 'square' }
pool.run(7, given)
// @ts-expect-error
pool.run(7, { nam: 'square' })
// @ts-expect-error
pool.run(7, { timeout: '5' })
// @ts-expect-error params are for native tasks
pool.run(7, { params: {} })
// @ts-expect-error
pool.run(7, { signal: {} })

const typed = new Pool<{ a: number }, string>({ filename: './worker.js' })
is<Promise<string>>()(typed.run({ a: 1 }), true)
is<Promise<string>>()(typed.run({ a: 1 }, { timeout: 5 }), true)
is<Promise<any>>()(typed.run('other', { name: 'other' }), true)
// @ts-expect-error
typed.run({ a: '1' })
// @ts-expect-error
typed.run({ a: '1' }, { timeout: 5 })

const fixed = new WorkerPool<number, string>(1, './worker.js')
is<Promise<string>>()(fixed.run(5), true)
is<Promise<string>>()(fixed.runTask(5), true)
is<string>()(fixed.runTaskSync(5, { timeout: 5 }), true)
is<Promise<any>>()(fixed.runTask('any data', { name: 'other' }), true)
// @ts-expect-error it takes the script's data
fixed.runTask('5')
// @ts-expect-error it must not be given where tasks are run
export const taken: Pool<number, string> = fixed
fixed.on('drain', () => {})
is<Promise<void>>()(fixed.close(), true)

// ---- runTask

is<Promise<any>>()(pool.runTask('square', 7), true)
is<Promise<number>>()(pool.runTask<number>('square', 7, { signal }), true)
is<Promise<any>>()(pool.runTask({ filename: './other.js', name: 'cube' }, 3), true)
is<Promise<number>>()(runTask<number>({ filename: './other.js' }, 3, { timeout: 5 }), true)
// @ts-expect-error data is for run
pool.runTask({ data: 1 })
// @ts-expect-error
pool.runTask(1)
// @ts-expect-error
pool.runTaskSync([1, 2, 3], { name: 'sum' })
// @ts-expect-error
pool.runTask(null)
// @ts-expect-error
pool.runTask('square', 7, { timout: 7 })
// @ts-expect-error the default pool has no script
runTask('square', 7)
// @ts-expect-error
runTask({ data: 1 })
// @ts-expect-error
pool.runTask(Symbol('task'))

pool.runTask('square', 7, { onProgress: (value) => value.rows })
pool.run(7, { onProgress: (rows: number) => rows })
runTask('hash.sha256', 'x', { onProgress() {} })
// @ts-expect-error
pool.runTask('square', 7, { onProgress: 5 })

// ---- inline functions

is<Promise<number>>()(
  pool.runTask((a: number, b: number) => a + b, [1, 2]),
  true
)
is<Promise<number>>()(
  runTask((a, b) => a + b, [1, 2]),
  true
)
is<Promise<string>>()(
  pool.runTask(async (s: string, times: number) => s.repeat(times), ['x', 3], { signal }),
  true
)
is<Promise<number>>()(
  runTask((n: number) => n * n, 7),
  true
)
is<Promise<boolean>>()(
  pool.runTask((o: { deep: boolean }) => o.deep, { deep: true }),
  true
)
is<Promise<number>>()(
  runTask((list: number[]) => list.length, [[1, 2, 3]]),
  true
)
is<Promise<Date>>()(
  pool.runTask(() => new Date()),
  true
)
is<Promise<ArrayBuffer>>()(
  runTask(() => move(new ArrayBuffer(8))),
  true
)
is<Promise<void>>()(
  pool.runTask(function named(_: string) {}, 'x'),
  true
)
// @ts-expect-error a wrong argument
pool.runTask((a: number, b: number) => a + b, [1, '2'])
// @ts-expect-error
runTask((a: number, b: number) => a + b, [1, '2'])
// @ts-expect-error an argument too few
runTask((a: number, b: number) => a + b, [1])
// @ts-expect-error an argument too many
runTask((a: number) => a, [1, 2])
// @ts-expect-error no argument
pool.runTask((a: number) => a)
// @ts-expect-error
runTask((n: number) => n, 'seven')
// @ts-expect-error an array is the list of arguments, not one of them
runTask((list: number[]) => list.length, [1, 2, 3])
// @ts-expect-error
runTask((n: number) => n, 7, { timout: 1 })

is<Uint8Array>()(null as unknown as TaskResult<Promise<ReturnType<typeof move<Uint8Array>>>>, true)

// ---- affinity, groups, broadcast

pool.run(7, { affinity: 'user 7', group: 'tenant a' })
pool.runTask('square', 7, { affinity: 7 })
runTask('hash.sha256', 'x', { group: 'tenant a' })
pool.stream('rows', 1, { affinity: 1, group: 'g' })
pool.map([1], 'square', { group: 'g' })
// @ts-expect-error a native task has no isolate
runTask('hash.sha256', 'x', { affinity: 7 })
// @ts-expect-error
pool.run(7, { group: 7 })
// @ts-expect-error
new Pool({ groups: { a: { wait: 3 } } })
// @ts-expect-error
new Pool({ recycle: { task: 3 } })
is<Promise<any[]>>()(pool.broadcast('clear'), true)
is<Promise<any[]>>()(pool.broadcast(undefined, 7, { timeout: 5, signal }), true)
is<Promise<number[]>>()(pool.broadcast<number>({ filename: './other.js' }, 7), true)
is<Promise<number[]>>()(
  pool.broadcast((a: number, b: number) => a + b, [1, 2]),
  true
)
// @ts-expect-error a broadcast has no worker of its own
pool.broadcast('clear', 7, { affinity: 1 })
// @ts-expect-error no native task
pool.broadcast('hash.sha256', 'x')

// ---- readings and events

is<PoolStats>()(pool.stats(), true)
is<number>()(pool.stats().waitTime.p99, true)
is<'native' | 'script'>()(null as unknown as PoolStats['workers'][number]['lane'], true)
is<number>()(pool.options.maxThreads, true)
is<string | undefined>()(pool.options.filename, true)
// @ts-expect-error
pool.options.maxThreads = 5
is<boolean>()(pool.closed, true)

pool
  .on('drain', () => {})
  .once('workerExit', ({ id, threadId, exitCode }) => is<number>()(id + threadId + exitCode, true))
  .on('error', (error) => is<unknown>()(error, true))
  .on('message', (message) => message.anything)
pool.off('close', () => {})
// @ts-expect-error
pool.on('drain', (what: string) => what)
// @ts-expect-error
pool.on('workerCreate', ({ exitCode }) => exitCode)

// ---- steering

is<Promise<void>>()(pool.ready(), true)
is<number>()(pool.cancelQueued(), true)
is<boolean>()(pool.paused || pool.needsDrain, true)
is<number>()(pool.size, true)
pool.pause()
pool.resume()
pool.resize({ maxThreads: 8 })
pool.run(1, { deadline: new Date(), retries: 2 })
pool.runTask('hash.sha256', 'x', { deadline: Date.now() + 50 })
new Pool({ retries: 1 })
// @ts-expect-error
pool.resize({ maxQueue: 8 })
// @ts-expect-error
pool.resize(8)
// @ts-expect-error
pool.run(1, { deadline: '10:00' })

// ---- ending

is<Promise<void>>()(pool.close(), true)
pool.close({ force: true })
pool.close({ timeout: 1000 })
is<boolean>()(shareCpu(), true)
shareCpu(4)
// @ts-expect-error a text is no number of workers
shareCpu('4')
is<Promise<void>>()(pool.destroy(), true)
// @ts-expect-error
pool.close({ forced: true })

export async function disposed() {
  await using own = new Pool()
  return own.runTask('hash.crc32', 'x')
}

is<typeof Pool>()(rspool.Pool, true)
