'use strict'

// One limit over several processes: node limits.js <rspool|flexible> <processes>. For each message { ms, perSecond } every
// process takes points for `ms`, at that rate or, without a rate, as fast as it can. The answer is { calls, allowed, ms }.

const cluster = require('node:cluster')

const [, , kind, count] = process.argv
const PROCESSES = Number(count)
const LIMIT = { points: 1000, per: 1000, burst: 10 }
/** The calls per process that wait for an answer. Calls of rspool never wait. */
const IN_FLIGHT = 64

/**
 * @param {(key: string) => boolean|Promise<boolean>} take
 * @param {{ ms: number, perSecond?: number }} how
 */
async function run(take, { ms, perSecond }) {
  let calls = 0
  let allowed = 0
  const start = performance.now()
  const running = () => performance.now() - start < ms
  const caller = async () => {
    while (running()) {
      // Only a promise is awaited, not a boolean. After 1,000 calls the event loop has a turn.
      for (let n = 0; n < 1000 && running(); n++) {
        if (perSecond !== undefined && calls >= ((performance.now() - start) / 1000) * perSecond) break
        calls++
        const taken = take('somebody')
        if (typeof taken === 'boolean' ? taken : await taken) allowed++
      }
      await new Promise(setImmediate)
    }
  }
  await Promise.all(Array.from({ length: kind === 'rspool' ? 1 : IN_FLIGHT }, caller))
  return { calls, allowed, ms: performance.now() - start }
}

/** @param {{ calls: number, allowed: number, ms: number }[]} all */
const sum = (all) => ({
  calls: all.reduce((sum, { calls }) => sum + calls, 0),
  allowed: all.reduce((sum, { allowed }) => sum + allowed, 0),
  ms: Math.max(...all.map(({ ms }) => ms))
})

/** Answers the bench. @param {(how: object) => Promise<any[]>} ask asks all processes */
function serve(ask) {
  process.on('message', async (how) => process.send?.(sum(await ask(/** @type {object} */ (how)))))
  process.send?.('ready')
}

function withRspool() {
  const supervisor = require('../..').cluster.run(
    (context) => {
      context.onRequest((how) => run((key) => context.limits.api.take(key).ok, how))
      context.ready()
    },
    { processes: PROCESSES, limits: { api: LIMIT } }
  )
  if (!cluster.isPrimary) return
  const slots = Array.from({ length: PROCESSES }, (_, slot) => slot)
  supervisor.ready.then(() =>
    serve((how) => Promise.all(slots.map((slot) => supervisor.request(slot, how, { timeout: 60_000 }))))
  )
}

async function withFlexible() {
  const { RateLimiterCluster, RateLimiterClusterMaster } = require('rate-limiter-flexible')
  if (cluster.isPrimary) {
    new RateLimiterClusterMaster()
    const workers = Array.from({ length: PROCESSES }, () => cluster.fork())
    const answer = (/** @type {import('node:cluster').Worker} */ worker) =>
      new Promise((resolve) => {
        const listen = (/** @type {any} */ message) => {
          if (message?.bench === undefined) return
          worker.off('message', listen)
          resolve(message.bench)
        }
        worker.on('message', listen)
      })
    await Promise.all(workers.map(answer))
    serve((how) =>
      Promise.all(
        workers.map((worker) => {
          const answered = answer(worker)
          worker.send({ bench: how })
          return answered
        })
      )
    )
    return
  }
  const { points, per } = LIMIT
  const limiter = new RateLimiterCluster({ keyPrefix: 'api', points, duration: per / 1000, timeoutMs: 10_000 })
  const take = (/** @type {string} */ key) =>
    limiter.consume(key).then(
      () => true,
      () => false
    )
  process.on('message', async (/** @type {any} */ message) => {
    if (message?.bench !== undefined) process.send?.({ bench: await run(take, message.bench) })
  })
  process.send?.({ bench: 'ready' })
}

if (kind === 'rspool') withRspool()
else withFlexible()
process.on('disconnect', () => process.exit())
