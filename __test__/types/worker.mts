// A script, as its author sees it.

import { type Moved, move } from 'rspool'
import { transferableSymbol, valueSymbol } from 'rspool/piscina'
import worker, { isWorkerThread, run, runTask, task, threadId, workerData } from 'rspool/worker'
import { is } from './assert.mjs'

is<AbortSignal | undefined>()(task.signal, true)
is<number | undefined>()(task.id, true)
is<void>()(task.progress({ rows: 5 }), true)
is<boolean>()(isWorkerThread, true)
is<number>()(threadId, true)
is<any>()(workerData, true)
is<Moved<ArrayBuffer>>()(worker.move(new ArrayBuffer(8)), true)
is<typeof move>()(worker.move, true)
move(new Uint8Array(8), [new ArrayBuffer(1)])
is<Promise<any>>()(run(5), true)
is<Promise<number>>()(run<number>(5, { name: 'square', timeout: 5, signal: task.signal }), true)
is<Promise<Buffer>>()(runTask('hash.sha256', 'x'), true)
is<Promise<number>>()(
  runTask((a: number, b: number) => a + b, [1, 2], { priority: -1 }),
  true
)
is<Promise<any>>()(runTask('square', 7), true)
is<Promise<any>>()(runTask({ filename: './other.js' }, 7), true)
// @ts-expect-error data is for run
runTask({ data: 1 })
// @ts-expect-error
run(5, { onProgress() {} })
// @ts-expect-error
runTask('square', 7, { timout: 1 })
// @ts-expect-error
task.id = 5
// @ts-expect-error
move()

const picture = { [transferableSymbol]: new ArrayBuffer(1), [valueSymbol]: { width: 1 } }
is<Moved<{ width: number }>>()(move(picture), true)
