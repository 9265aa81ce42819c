'use strict'

// `npm run bench`: rspool beside piscina, tinypool, workerpool and poolifier, in one process and by turns.
// Figures never decide the exit code: they depend on the machine and on its load.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { print, printSummary } = require('./lib/report')
const { names, versionOf } = require('./lib/rivals')
const { cpuCount } = require('..')

const help = `npm run bench -- [options]
  --only <names>    only the cases whose names contain one of these, separated by commas
  --rounds <n>      rounds that count, after one that warms up (default 7)
  --quick           3 short rounds: a look, not a measurement
  --part <names>    of the case 'values', only the values whose names contain one of these
  --json <file>     write every sample to a file
  --list            print the names of the cases`

/** The cases, in the order of the report. */
const cases = [
  'number-echo',
  'object-echo',
  'values',
  'one-at-a-time',
  'after-rest',
  'burst',
  'buffer-copy',
  'buffer-move',
  'native-trivial',
  'sha256-large',
  'native-tasks',
  'given-up',
  'fibonacci',
  'end-to-end',
  'blocked-main',
  'fs-latency',
  'startup',
  'memory-worker',
  'memory-queue',
  'scale-workers',
  'scale-queue',
  'run-sync',
  'map-tiny',
  'stream-items',
  'deadlines'
]

function options() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      part: { type: 'string' },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const rounds = values.rounds === undefined ? (values.quick ? 3 : 7) : Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds must be a whole number from 1, got ${values.rounds}`)
  const parts = values.only?.split(',') ?? ['']
  const chosen = cases.filter((name) => parts.some((part) => name.includes(part)))
  if (chosen.length === 0) throw new Error(`--only ${values.only}: no such case; there are ${cases.join(', ')}`)
  return { ...values, rounds, chosen }
}

async function main() {
  const { rounds, quick, chosen, json, part, list, help: wanted } = options()
  if (wanted) return console.log(help)
  if (list) return console.log(cases.join('\n'))
  const machine = `${os.cpus()[0]?.model ?? 'unknown'}, ${cpuCount()} of ${os.cpus().length} cores, ${os.platform()} ${os.arch()}`
  console.log(`Node.js ${process.versions.node} on ${machine}`)
  console.log(names.map((name) => `${name} ${versionOf(name)}`).join(', '))
  console.log(
    `Medians and quartiles of ${rounds} rounds in which all take turns; 2 workers and 256 calls in flight unless stated.`
  )

  const setting = { rounds, quick, ms: quick ? 100 : 300, part }
  const done = []
  for (const name of chosen) {
    const benchmark = require(path.join(__dirname, 'cases', name))
    const result = await benchmark.run(setting)
    print(benchmark, result)
    done.push({ name, title: benchmark.title, result })
  }
  printSummary(done)
  if (json !== undefined) {
    const versions = Object.fromEntries(names.map((name) => [name, versionOf(name)]))
    fs.writeFileSync(
      json,
      `${JSON.stringify({ node: process.versions.node, machine, versions, rounds, cases: done }, null, 2)}\n`
    )
  }
}

// If a promise never settles, the exit code must not be that of success.
process.exitCode = 1
main().then(
  () => {
    process.exitCode = 0
  },
  (error) => {
    console.error(error)
    // Workers or processes that the case started may keep this process alive.
    process.exit()
  }
)
