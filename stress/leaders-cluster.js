'use strict'

// npm run leaders:cluster [-- --kills 100 --reloads 20 --processes 4]: kills the leading process again and again, and
// reloads the cluster again and again. Two processes must never lead at once, tokens must rise, and the gap after a kill
// must be short.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { Primary, freePort, kill } = require('../__test__/cluster/harness')

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    reloads: { type: 'string', default: '20' },
    processes: { type: 'string', default: '4' }
  }
})
const KILLS = Number(values.kills)
const RELOADS = Number(values.reloads)
const PROCESSES = Number(values.processes)
/** The most that the p99 of the gaps may be, in milliseconds. */
const GAP = 50

/** The time in microseconds, on a clock that all processes share. */
const now = () => Number(process.hrtime.bigint() / 1000n)

/** @param {number[]} sorted @param {number} share */
const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

/**
 * Reads the leaders' lines, and gives for each token the times of its first and last line.
 * @param {string} journal
 */
function readReigns(journal) {
  /** @type {Map<number, { token: number, from: number, to: number }>} */
  const reigns = new Map()
  let seconds = 0
  for (const line of fs.readFileSync(journal, 'utf8').split('\n')) {
    const [token, what, at] = line.split(' ')
    if (at === undefined) continue
    if (what === 'SECOND') seconds++
    const reign = reigns.get(Number(token)) ?? { token: Number(token), from: Number(at), to: 0 }
    reign.to = Math.max(reign.to, Number(at))
    reigns.set(reign.token, reign)
  }
  return { reigns: [...reigns.values()].sort((a, b) => a.from - b.from), seconds }
}

/** @param {string} folder */
async function run(folder) {
  const journal = path.join(folder, 'journal')
  fs.writeFileSync(journal, '')
  const primary = new Primary(
    { teardown: () => {} },
    {
      app: '../../stress/children/leads.js',
      env: { JOURNAL: journal, WITNESS: String(await freePort()) },
      options: {
        processes: PROCESSES,
        backoff: { initial: 1, max: 1 },
        crashLoop: { restarts: 1e9 }
      }
    }
  )
  await primary.ready
  const leader = async (/** @type {number} */ token) =>
    (await primary.event('message', (/** @type {any} */ message) => message.token > token))[0]
  const others = async () => {
    while ((await primary.call('status')).ready < Math.min(3, PROCESSES))
      await new Promise((resolve) => setTimeout(resolve, 5))
  }
  let { token, pid } = await leader(0)
  /** @type {{ token: number, at: number }[]} */
  const killed = []
  for (let n = 0; n < KILLS; n++) {
    await others()
    primary.events.length = 0
    killed.push({ token, at: now() })
    kill(pid, 'SIGKILL')
    ;({ token, pid } = await leader(token))
  }
  while ((await primary.call('status')).state !== 'ready') await new Promise((resolve) => setTimeout(resolve, 5))
  for (let n = 0; n < RELOADS; n++) {
    primary.events.length = 0
    await primary.call('reload')
  }
  primary.child.kill('SIGTERM')
  const { code } = await primary.exited
  const { reigns, seconds } = readReigns(journal)
  let overlap = 0
  let fallen = 0
  for (const [at, reign] of reigns.entries()) {
    if (at === 0) continue
    overlap = Math.max(overlap, reigns[at - 1].to - reign.from)
    if (reign.token <= reigns[at - 1].token) fallen++
  }
  const gaps = killed
    .map(({ token, at }) => ((reigns.find((reign) => reign.token > token)?.from ?? Infinity) - at) / 1000)
    .sort((a, b) => a - b)
  return { code, leaders: reigns.length, overlap: overlap / 1000, seconds, fallen, gaps }
}

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-leaders-'))
  const { code, leaders, overlap, seconds, fallen, gaps } = await run(folder)
  fs.rmSync(folder, { recursive: true })
  const p99 = quantile(gaps, 0.99)
  console.log({
    kills: KILLS,
    reloads: RELOADS,
    leaders,
    'longest overlap': `${overlap.toFixed(3)} ms`,
    'ports that a second leader was refused': seconds,
    'tokens that did not rise': fallen,
    'gap after a kill': {
      median: `${quantile(gaps, 0.5).toFixed(1)} ms`,
      p99: `${p99.toFixed(1)} ms`,
      longest: `${gaps.at(-1)?.toFixed(1)} ms`
    }
  })
  const good = code === 0 && overlap === 0 && seconds === 0 && fallen === 0 && (KILLS === 0 || p99 <= GAP)
  console.log(good ? 'good' : 'NOT good')
  process.exitCode = good ? 0 : 1
}

main()
