'use strict'

// npm run once:cluster [-- --processes 8 --calls 1000000 --keys 100000]: all processes call `once` with the same keys at the
// same time, each in an order of its own. For each key, exactly one call may be the first.

const { parseArgs } = require('node:util')
const { cluster } = require('..')

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '8' },
    calls: { type: 'string', default: '1000000' },
    keys: { type: 'string', default: '100000' }
  }
})
const PROCESSES = Number(values.processes)
const CALLS = Number(values.calls)
const KEYS = Number(values.keys)

const supervisor = cluster.run(
  (context) => {
    context.onRequest(() => {
      /** How often a call of this process was the first, per key. */
      const first = new Uint8Array(KEYS)
      const start = performance.now()
      // Steps of a prime number reach every key.
      let key = Math.floor(Math.random() * KEYS)
      for (let call = 0; call < CALLS; call++) {
        key = (key + 7919) % KEYS
        if (context.once(`key ${key}`, { ttl: 3_600_000 })) first[key]++
      }
      return { first, ns: ((performance.now() - start) * 1e6) / CALLS }
    })
    context.ready()
  },
  { processes: PROCESSES, onceKeys: KEYS }
)

async function main() {
  await supervisor.ready
  const slots = Array.from({ length: PROCESSES }, (_, slot) => slot)
  const answers = await Promise.all(slots.map((slot) => supervisor.request(slot, 'run', { timeout: 600_000 })))
  const told = new Uint32Array(KEYS)
  for (const { first } of answers) for (const [key, count] of first.entries()) told[key] += count
  const wrong = told.filter((count) => count !== 1).length
  console.log({
    processes: PROCESSES,
    callsOfEach: CALLS,
    keys: KEYS,
    'keys of which not exactly one was told': wrong,
    'a call': `${Math.round(answers.reduce((sum, { ns }) => sum + ns, 0) / PROCESSES)} ns`
  })
  console.log(wrong === 0 ? 'good' : 'NOT good')
  process.exitCode = wrong === 0 ? 0 : 1
  await supervisor.stop()
}

if (cluster.isPrimary) main()
