// The CommonJS entries have the same types.

import rspool = require('rspool')
import Piscina = require('rspool/piscina')
import worker = require('rspool/worker')

const pool = new rspool.Pool({ filename: require.resolve('./worker.js') })
const digest: Promise<Buffer> = rspool.runTask('hash.sha256', 'x')
const sum: Promise<number> = pool.runTask((a: number, b: number) => a + b, [1, 2])
const signal: AbortSignal | undefined = worker.task.signal
const options: rspool.PoolOptions = { maxThreads: 1 }
pool.on('error', (error: unknown) => error instanceof rspool.errors.RspoolError)

const likePiscina: Promise<number> = new Piscina<string, number>({ maxQueue: 'auto' }).run('1')
const balancer: Piscina.PiscinaLoadBalancer = (_, [first]) => first
new Piscina.Piscina({ loadBalancer: balancer, taskQueue: new Piscina.FixedQueue() })

// @ts-expect-error
rspool.runTask('hash.sha256', 7)
// @ts-expect-error
rspool.runTask('hash.sha256', 'x', { unknown: 1 })
// @ts-expect-error
new rspool.Pool({ maxThread: 1 })
// @ts-expect-error
rspool.default

declare module 'rspool' {
  interface NativeTasks {
    'audio.mix': { input: BytesLike; params: NoParams; result: Buffer }
  }
}
const mixed: Promise<Buffer> = rspool.tasks.audio.mix('x')

export = { digest, sum, signal, options, mixed, likePiscina }
