'use strict'

// `node proof/fuzz/main.js <target> [rounds] [seed]`: replays the corpus of a target, then tries so many
// mutations. A failure is told with what caused it: add that to the corpus, as a line.

const fs = require('node:fs')
const path = require('node:path')
const { mutate, mutateValue, randomFrom } = require('./mutate')
const { targets } = require('./targets')

const [name, rounds = '2000', seed = '1'] = process.argv.slice(2)
const target = targets[name]

const toText = (/** @type {any} */ input) =>
  target.isBytes ? input.toString('hex') : (JSON.stringify(input) ?? 'null')
const fromText = (/** @type {string} */ text) => (target.isBytes ? Buffer.from(text, 'hex') : JSON.parse(text))

function corpus() {
  const file = path.join(__dirname, 'corpus', `${name}.txt`)
  if (!fs.existsSync(file)) return []
  return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map(fromText)
}

/** What is tried now. In a file too, since what hangs or crashes the process cannot say so itself. */
let current = ''
const trace = path.join(require('node:os').tmpdir(), `rspool-fuzz-${name}`)

async function attempt(input) {
  current = toText(input)
  fs.writeFileSync(trace, current)
  try {
    await target.run(input)
  } catch (error) {
    console.error(`${name}: ${error?.stack}\ncaused by ${current}`)
    process.exit(1)
  }
}

async function main() {
  const known = corpus()
  for (const input of [...known, ...target.seeds]) await attempt(input)
  const random = randomFrom(Number(seed))
  const all = [...target.seeds, ...known]
  for (let round = 0; round < Number(rounds); round++) {
    const base = all[random.below(all.length)]
    await attempt(target.isBytes ? mutate(random, base, all) : mutateValue(random, base))
  }
  await target.end?.()
  fs.rmSync(trace, { force: true })
  console.log(`${name}: ${known.length} of the corpus and ${rounds} mutations`)
}

process.on('uncaughtException', (error) => {
  console.error(`${name}: uncaught ${error?.stack}\ncaused by ${current}`)
  process.exit(1)
})
main()
