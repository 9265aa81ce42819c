import { Queue, Worker } from 'bullmq'
import { Pool } from 'rspool'
import { createProcessor, guard } from 'rspool/bullmq'
import { Fleet, type Work } from 'rspool/fleet'

const fleet = new Fleet('images', { connection: 'redis://localhost', secret: 's' })
const thumb: Promise<Uint8Array> = fleet.runTask<Uint8Array>('thumbnail', new Uint8Array(1), {
  timeout: 1000,
  retries: 2
})
const id: string = await fleet.send('thumbnail', 1, { attempts: 5, backoff: 1000, key: 'k' })
const result: number = await fleet.result<number>(id)
for await (const each of fleet.map<number>([1, 2], 'square', { chunk: 'auto' })) void (each + 1)
await fleet.schedule('nightly', { pattern: '0 3 * * *', tz: 'Europe/Berlin' }, 'report')
const work: Work = fleet.work({ pool: { filename: './tasks.js', maxThreads: 4 }, tasks: ['thumbnail'], grace: 1000 })
await work.close({ grace: 0 })
void [thumb, result]

// @ts-expect-error a worker needs the names of its tasks
fleet.work({ pool: {} })
// @ts-expect-error no option can name a file
fleet.runTask('thumbnail', 1, { filename: './x.js' })
// @ts-expect-error a schedule says when
await fleet.schedule('never', {}, 'report')

const pool = new Pool({ filename: './tasks.js' })
const worker = new Worker('images', createProcessor(pool, { tasks: ['thumbnail'] }), { connection: {} })
await guard(worker, pool).close({ grace: 1000 })
createProcessor(pool, { map: (job) => ({ task: job.name, input: job.data }) })
void Queue
