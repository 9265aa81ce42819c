// The cluster helper, as its users reach it.

import { cluster } from 'rspool'
import { is } from './assert.mjs'

const options: cluster.ClusterOptions = { processes: 'auto', counters: ['requests'] }
const supervisor = cluster.run(({ slot, counters, onDrain }) => {
  is<number>()(slot, true)
  is<number>()(counters.add('requests'), true)
  onDrain(() => {})
}, options)
cluster.run(async ({ lock, leader, once, limits }) => {
  is<boolean>()(once('a', { ttl: 5 }), true)
  is<number>()(limits.api.take('a', 2).retryAfterMs, true)
  is<number>()(await lock('a', ({ token }) => token), true)
  is<string>()(
    await lock('a', async ({ signal }) => String(signal.aborted), { timeout: 5, signal: AbortSignal.abort() }),
    true
  )
  is<() => Promise<void>>()(
    leader('cron', ({ signal }) => signal.addEventListener('abort', () => {})),
    true
  )
  // @ts-expect-error
  lock('a', () => {}, { timeot: 5 })
  // @ts-expect-error
  lock('a')
})
is<cluster.Supervisor>()(supervisor, true)
is<cluster.Supervisor>()(cluster.run('./server.js'), true)
is<boolean>()(cluster.isPrimary, true)

cluster.run(() => {}, { limits: { api: { points: 1, per: 1000 } } })
// @ts-expect-error
cluster.run(() => {}, { limits: { api: { points: 1 } } })
// @ts-expect-error
cluster.run(() => {}, { process: 2 })
// @ts-expect-error
cluster.run()
