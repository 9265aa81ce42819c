'use strict'

// `npm run mutate`: breaks the seam between the languages in one place at a time, in a copy of the checkout, and runs the
// tests that must notice. If no test notices a change, the change survives: a test is missing.

const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { stripVTControlCharacters } = require('node:util')
const { failures } = require('./failures')
const { setup, root } = require('./setup')
const { mutations } = require('../proof/mutations')

const usage = `Usage: npm run mutate -- [name ...] | --check

Names are those of the table; without one, all. Needs git, for the list of files.
--check only looks whether each is still found in the code.`

/** Milliseconds that tests may take: a change may well make them hang. */
const LIMIT = 300_000

/** @typedef {import('../proof/mutations').Mutation} Mutation */

/** Copies the files that git knows, with the packages and the addon that are here. */
function copy() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-mutate-'))
  const { stdout, status } = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8'
  })
  if (status !== 0) throw new Error('git does not say what is in the checkout')
  const files = stdout.split('\n').filter((file) => file !== '' && fs.existsSync(path.join(root, file)))
  const addons = fs.readdirSync(root).filter((file) => file.endsWith('.node'))
  for (const file of [...files, ...addons]) {
    fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true })
    fs.copyFileSync(path.join(root, file), path.join(dir, file))
  }
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(dir, 'node_modules'))
  return dir
}

/** The process group of the tests that run. @type {number | undefined} */
let group

/** Ends the tests with all processes that they have started. A test that hangs leaves some behind. */
function end() {
  try {
    if (group !== undefined) process.kill(-group, 'SIGKILL')
  } catch {
    // They have all ended.
  }
}

// A group of its own hears nothing of the terminal.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.once(signal, () => {
    end()
    process.kill(process.pid, signal)
  })

/**
 * Runs a command in a process group of its own, which ends with it.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions & { limit: number }} options
 * @returns {Promise<{ status: number | null, output: string }>}
 */
function runAlone(command, args, { limit, ...options }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    group = child.pid
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => (output += text))
    const timer = setTimeout(end, limit)
    child.on('error', reject)
    // Not 'close', for which a process that is left behind would have to end.
    child.on('exit', end)
    child.on('close', (status) => {
      clearTimeout(timer)
      group = undefined
      resolve({ status, output })
    })
  })
}

/**
 * The lines in which the tests report failures, or undefined if all pass.
 * @param {string} dir
 * @param {Pick<Mutation, 'tests' | 'rust'>} mutation
 */
async function failing(dir, { tests, rust }, limit = LIMIT) {
  const ava = path.join('node_modules', 'ava', 'entrypoints', 'cli.mjs')
  const [command, args] = /** @type {[string, string[]]} */ (
    rust !== undefined
      ? ['cargo', ['test', '--package', rust, '--no-default-features', '--lib', '--', ...tests]]
      : [process.execPath, [ava, '--timeout=2m', '--fail-fast', ...tests.map((test) => `__test__/${test}.spec.js`)]]
  )
  // All runs share what is built of the packages.
  const env = { ...process.env, CARGO_TARGET_DIR: path.join(root, 'target', 'mutate'), NO_COLOR: '1' }
  const { status, output } = await runAlone(command, args, { cwd: dir, env, limit })
  return status === 0 ? undefined : failures(stripVTControlCharacters(output))
}

/**
 * Whether the code contains the mutation's text exactly once, so that no other place is broken.
 * @param {Mutation} mutation
 * @param {string} source
 */
const isFound = (mutation, source) => source.split(mutation.from).length === 2

/** Checks that each mutation is found: a change of the code may have removed its place. */
function check() {
  const lost = mutations.filter((each) => !isFound(each, fs.readFileSync(path.join(root, each.file), 'utf8')))
  for (const { name, file } of lost) console.error(`${name} is not found in ${file}, or more than once`)
  console.log(`${mutations.length - lost.length} of ${mutations.length} mutations are found`)
  process.exit(lost.length > 0 ? 1 : 0)
}

/** @param {string} dir @param {Mutation} mutation @returns {Promise<'killed' | 'SURVIVED' | 'NOT FOUND'>} */
async function attempt(dir, mutation) {
  const file = path.join(dir, mutation.file)
  const before = fs.readFileSync(file, 'utf8')
  if (!isFound(mutation, before)) return 'NOT FOUND'
  fs.writeFileSync(
    file,
    before.replace(mutation.from, () => mutation.to)
  )
  try {
    return (await failing(dir, mutation)) === undefined ? 'SURVIVED' : 'killed'
  } finally {
    fs.writeFileSync(file, before)
  }
}

async function main() {
  const names = process.argv.slice(2)
  if (names.includes('--check')) return check()
  const chosen = mutations.filter(({ name }) => names.length === 0 || names.includes(name))
  if (names.includes('--help') || chosen.length === 0) {
    console.error(usage)
    process.exit(1)
  }
  setup()
  const dir = copy()
  let bad = 0
  try {
    // A test that fails without a mutation proves nothing.
    for (const rust of new Set(chosen.map((each) => each.rust))) {
      const tests = [...new Set(chosen.filter((each) => each.rust === rust).flatMap((each) => each.tests))]
      const told = await failing(dir, { tests, rust }, 4 * LIMIT)
      if (told !== undefined) {
        console.error(`before anything is broken some of these fail: ${tests.join(', ')}\n${told.join('\n')}`)
        process.exitCode = 1
        return
      }
    }
    for (const mutation of chosen) {
      const start = performance.now()
      const how = await attempt(dir, mutation)
      if (how !== 'killed') bad++
      const seconds = ((performance.now() - start) / 1000).toFixed(0)
      console.log(
        `${how.padEnd(9)}  ${mutation.name.padEnd(5)}  ${mutation.what} (${mutation.tests.join(', ')}, ${seconds} s)`
      )
    }
  } finally {
    fs.rmSync(dir, { recursive: true, force: true })
  }
  console.log(`\n${chosen.length - bad} of ${chosen.length} are killed`)
  process.exit(bad > 0 ? 1 : 0)
}

if (require.main === module) main()
