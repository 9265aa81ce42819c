'use strict'

// `npm run stress`: tries many times whether things happen that never must. Each case runs in a process of its own, so
// that this process notices an abort or a hang. Exits with code 1 if anything failed.

const path = require('node:path')
const { parseArgs } = require('node:util')
const { align, runCase } = require('./lib/runner')

const help = `npm run stress -- [options]
  --only <names>    only the cases whose names contain one of these, separated by commas
  --rounds <n>      rounds of the cases that go by rounds (default: as the case says, mostly 100)
  --tasks <n>       tasks of the cases that go by tasks (default: 1,000,000 and 100,000)
  --seed <n>        what the random choices come from (default: the clock; printed)
  --node <file>     run under this Node.js; may be repeated
  --nodes           run under every supported Node.js, installed from npm`

const cases = [
  'terminate-owner',
  'destroy-busy',
  'process-exit',
  'uncaught',
  'open-close',
  'mixed',
  'faults',
  'plugins'
]

/** @param {string | undefined} value @param {string} name */
function whole(value, name) {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a whole number from 1, got ${value}`)
  return number
}

function options() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      tasks: { type: 'string' },
      seed: { type: 'string' },
      node: { type: 'string', multiple: true },
      nodes: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const parts = values.only?.split(',') ?? ['']
  const chosen = cases.filter((name) => parts.some((part) => name.includes(part)))
  if (chosen.length === 0) throw new Error(`--only ${values.only}: no such case; there are ${cases.join(', ')}`)
  let nodes = values.node ?? [process.execPath]
  if (values.nodes) {
    const { runtimes } = require('../scripts/runtimes')
    nodes = runtimes()
      .filter(({ kind }) => kind === 'node')
      .map(({ file }) => file)
  }
  return {
    help: values.help,
    chosen,
    nodes: nodes.map((file) => (file.includes(path.sep) ? path.resolve(file) : file)),
    rounds: whole(values.rounds, 'rounds'),
    tasks: whole(values.tasks, 'tasks'),
    seed: whole(values.seed, 'seed') ?? (Date.now() & 0x7fffffff) + 1
  }
}

async function main() {
  const { help: wanted, chosen, nodes, rounds, tasks, seed } = options()
  if (wanted) return console.log(help)
  console.log(`Seed ${seed}`)
  const rows = []
  for (const node of nodes) {
    for (const name of chosen) {
      const outcome = await runCase(node, name, { rounds, tasks, seed })
      rows.push(outcome)
      const { version, ok, seconds, note } = outcome
      console.log(`${ok ? 'ok    ' : 'FAILED'} ${version} ${name} (${seconds} s): ${note}`)
    }
  }
  const table = rows.map(({ version, name, times, ok, seconds, note }) => [
    version,
    name,
    times,
    ok ? 'ok' : 'FAILED',
    `${seconds} s`,
    note.split('\n')[0].slice(0, 100)
  ])
  console.log(`\n${align([['Node.js', 'case', 'times', 'result', 'time', ''], ...table]).join('\n')}`)
  const failed = rows.filter(({ ok }) => !ok).length
  console.log(failed === 0 ? '\nNothing failed' : `\n${failed} of ${rows.length} failed`)
  if (failed > 0) process.exitCode = 1
}

main().catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
