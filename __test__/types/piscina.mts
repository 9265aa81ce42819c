// piscina's interface, as its users wrote their code.

import Piscina, {
  ArrayTaskQueue,
  FixedQueue,
  isWorkerThread,
  move,
  type PiscinaLoadBalancer,
  type PiscinaTask,
  queueOptionsSymbol,
  Piscina as Same,
  type TaskQueue,
  transferableSymbol,
  valueSymbol,
  version,
  workerData
} from 'rspool/piscina'
import { is } from './assert.mjs'

const loadBalancer: PiscinaLoadBalancer = (task, workers) =>
  task.isAbortable ? null : (workers.find((worker) => worker.currentUsage === 0) ?? null)

class Ranked implements TaskQueue {
  tasks: PiscinaTask[] = []
  get size() {
    return this.tasks.length
  }
  push(task: PiscinaTask) {
    this.tasks.push(task)
    is<object | null>()(task[queueOptionsSymbol], true)
  }
  shift() {
    return this.tasks.shift() ?? null
  }
  remove(task: PiscinaTask) {
    this.tasks.splice(this.tasks.indexOf(task), 1)
  }
}

const pool = new Piscina<string, number>({
  filename: new URL('./worker.js', import.meta.url).href,
  maxQueue: 'auto',
  loadBalancer,
  taskQueue: new Ranked(),
  resourceLimits: { maxOldGenerationSizeMb: 16 }
})
new Same({ taskQueue: new FixedQueue() })
new Piscina.Piscina({ taskQueue: new ArrayTaskQueue() })
// @ts-expect-error
new Piscina({ maxQueue: 'some' })

is<Promise<number>>()(pool.run('1', { name: 'other', signal: new AbortController().signal, transferList: [] }), true)
// @ts-expect-error
pool.run(1)
is<number>()(pool.histogram.runTime.p99_999, true)
is<number>()(pool.options.maxQueue, true)
is<Promise<void>>()(pool.close({ force: true }), true)
is<number[]>()(
  pool.threads.map((thread) => thread.threadId),
  true
)
pool.once('drain', () => {})

is<boolean>()(isWorkerThread, true)
is<any>()(workerData, true)
is<string>()(version, true)
move({ [transferableSymbol]: new ArrayBuffer(1), [valueSymbol]: 1 })
