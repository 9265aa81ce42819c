// What is told of tasks and workers.

import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import type { PerformanceMeasure } from 'node:perf_hooks'
import { type Histogram, metrics, Pool, type TaskMeasure, type TaskMessage, type WorkerMessage } from 'rspool'
import { context } from 'rspool/worker'
import { is } from './assert.mjs'

const user = new AsyncLocalStorage<{ name: string }>()
const pool = new Pool({ context: { user }, timing: true })
pool.run(1, { context: { user: { name: 'Ada' } } })
pool.map([1], undefined, { context: { user: 'Ada' } })
pool.settled([1], undefined, { context: {} })
pool.stream('rows', 1, { context: { user: undefined } })
is<AsyncLocalStorage<any>>()(context.user, true)
// @ts-expect-error
new Pool({ context: { user: 'Ada' } })
// @ts-expect-error
new Pool({ timing: 1 })
// @ts-expect-error
pool.runTask('hash.sha256', 'x', { context: {} })
// @ts-expect-error
pool.run(1, { context: 'Ada' })

is<Histogram>()(pool.histogram.wait, true)
is<number>()(pool.histogram.run.percentile(99), true)
is<Map<number, number>>()(pool.histogram.run.percentiles, true)
is<void>()(pool.histogram.run.reset(), true)
// @ts-expect-error
pool.histogram.run.count = 1
is<string>()(pool.metrics(), true)
is<string>()(metrics(), true)

const [worker] = pool.stats().workers
is<number>()(worker.tasks[0].id, true)
is<string>()(worker.tasks[0].task, true)
is<number>()(worker.tasks[0].running, true)
is<number | null>()(pool.stats().oldestQueued, true)
is<number | null>()(pool.stats().oldestRunning, true)
is<number>()(pool.stats().outcomes.queueTimeout, true)
is<number | null>()(worker.cpuTime, true)
is<number | null>()(worker.threadId, true)
is<number | undefined>()(worker.heap?.used, true)
is<number | undefined>()(worker.eventLoopUtilization?.utilization, true)

subscribe('rspool:task:end', (message) => {
  const { task, kind, nested, outer, wait, run, error } = message as TaskMessage
  is<'call' | 'batch' | 'stream' | 'channel'>()(kind, true)
  is<boolean>()(nested, true)
  is<TaskMessage | undefined>()(outer?.outer, true)
  is<string>()(task, true)
  is<number | undefined>()(wait, true)
  is<number | undefined>()(run, true)
  is<unknown>()(error, true)
})
subscribe('rspool:worker:exit', (message) => is<number | undefined>()((message as WorkerMessage).exitCode, true))
export function errorOf({ detail }: PerformanceMeasure) {
  is<string | undefined>()((detail as TaskMeasure).error, true)
  is<boolean>()((detail as TaskMeasure).nested, true)
}

new Pool({ stallTimeout: 1000 })
new Pool({ stallTimeout: Number.POSITIVE_INFINITY }).on('stalled', ({ number, silentMs, stack }) => {
  is<number>()(number, true)
  is<number>()(silentMs, true)
  is<string | null>()(stack, true)
})
// @ts-expect-error
new Pool({ stallTimeout: '1s' })
pool.stacks().then(([{ lane, tasks, stack }]) => {
  is<'native' | 'script'>()(lane, true)
  is<number | undefined>()(tasks[0].progress?.rows, true)
  is<string | null>()(stack, true)
})
