'use strict'

// `npm test`: sets up what is missing, then runs every check, or only the checks of the named parts.

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { stripVTControlCharacters } = require('node:util')
const { failures } = require('./failures')
const { packageFolders } = require('./packages')
const { setup, root } = require('./setup')

const usage = `Usage: npm test -- [part ...] [arguments of ava, after the part js alone]

Parts: lint, rust, types, js. Without one, all of these. fleet needs redis-server and postgres on PATH, or REDIS_URL
and DATABASE_URL; site builds the pages as a site, and looks at it in Chromium if that is there; plugins builds crates, and
packages those in packages/; ship tries the release on this machine, and runners the runners of tests, with tools that both
install first; all is everything.

  npm test -- lint types
  npm test -- js __test__/load.spec.js --match='*local build*'`

/** @typedef {{ part: string, title: string, command: string, args: string[], env?: Record<string, string> }} Step */
/** @typedef {{ passed: number, failed: number }} Counts */

const locked = process.env.CI ? ['--locked'] : []
/** The parts that `npm test` leaves out unless they are named. */
const folders = ['fleet', 'site', 'plugins', 'packages', 'ship', 'runners']

const bin = (/** @type {string} */ file) => path.join(root, 'node_modules', file)

/** @param {string} part @param {string} title @param {string} script @param {string[]} args @returns {Step} */
function node(part, title, script, args) {
  return { part, title, command: process.execPath, args: [script, ...args] }
}

/** @param {string} part @param {string} title @param {string[]} args @returns {Step} */
function cargo(part, title, ...args) {
  return { part, title, command: 'cargo', args }
}

/** One type-check per project: the code of the package, then its users under each kind of module resolution. */
function typeSteps() {
  const users = path.join(root, '__test__', 'types')
  const projects = fs.existsSync(users) ? fs.readdirSync(users).filter((file) => /^tsconfig\..+\.json$/.test(file)) : []
  const tsc = bin('typescript/bin/tsc')
  return [
    node('types', 'tsc over the code of the package', tsc, ['-p', path.join(root, 'tsconfig.json')]),
    node('types', 'every public type and member has a docstring', path.join(__dirname, 'documented.js'), []),
    ...projects.map((file) => node('types', `tsc over a user's code, ${file}`, tsc, ['-p', path.join(users, file)]))
  ]
}

/** The steps that check and build each of `packages/` by itself. @returns {Step[]} */
function packageSteps() {
  const steps = packageFolders().flatMap((name) => {
    const manifest = `--manifest-path=packages/${name}/Cargo.toml`
    const build = ['build-task', `packages/${name}`, '--', ...locked]
    return [
      cargo('packages', `${name}: rustfmt`, 'fmt', manifest, '--check'),
      cargo('packages', `${name}: clippy`, 'clippy', manifest, '--all-targets', ...locked, '--', '-D', 'warnings'),
      cargo('packages', `${name}: cargo test`, 'test', manifest, ...locked),
      node('packages', `${name}: rspool build-task`, path.join(root, 'lib', 'cli', 'main.js'), build)
    ]
  })
  return [node('packages', 'rspool in their sight', path.join(__dirname, 'packages.js'), []), ...steps]
}

/** The specs in folders of their own, which need more than the package: servers, or other tools. @returns {Step[]} */
function folderSteps() {
  const script = (/** @type {string} */ file) => path.join(__dirname, file)
  const packed = path.join(root, '.cache', 'packed')
  /** @type {Record<string, Step[]>} */
  const before = {
    packages: packageSteps(),
    site: [node('site', 'npm run docs', script('docs.js'), [])],
    ship: [
      node('ship', 'its tools', script('tools.js'), ['ship']),
      node('ship', 'the packages of a release', script('release/pack.js'), [root, packed, '--dry'])
    ],
    runners: [node('runners', 'its tools, and the package', script('tools.js'), ['runners', '--package'])]
  }
  return folders.flatMap((part) => [
    ...(before[part] ?? []),
    { ...node(part, `ava, ${part}`, bin('ava/entrypoints/cli.mjs'), []), env: { RSPOOL_SPECS: part } }
  ])
}

/** @param {string[]} avaArgs @returns {Step[]} */
function allSteps(avaArgs) {
  return [
    node('lint', 'biome', bin('@biomejs/biome/bin/biome'), ['check', '--error-on-warnings', '.']),
    cargo('lint', 'rustfmt', 'fmt', '--check'),
    cargo('lint', 'clippy', 'clippy', '--all-targets', ...locked, '--', '-D', 'warnings'),
    cargo('lint', 'clippy without Node', 'clippy', '--no-default-features', ...locked, '--', '-D', 'warnings'),
    node('lint', 'licences', path.join(__dirname, 'licences.js'), []),
    node('lint', 'no spec waits for a time to pass', path.join(__dirname, 'waits.js'), []),
    node('lint', 'each mutation has its place', path.join(__dirname, 'mutate.js'), ['--check']),
    node('lint', 'no dead link', path.join(__dirname, 'links.js'), []),
    node('lint', 'spelling', bin('cspell/bin.mjs'), ['lint', '--no-progress']),
    cargo('rust', 'cargo test without Node', 'test', '--no-default-features', ...locked),
    cargo('rust', 'cargo test', 'test', ...locked),
    cargo('rust', 'cargo test of rspool-task', 'test', '--package', 'rspool-task', '--all-features', ...locked),
    ...typeSteps(),
    node('js', 'ava', bin('ava/entrypoints/cli.mjs'), avaArgs),
    ...folderSteps()
  ]
}

/** Counts the tests that cargo and ava report. @param {string} output @returns {Counts} */
function countTests(output) {
  const counts = { passed: 0, failed: 0 }
  const patterns = [
    /^test result: \S+ (?<passed>\d+) passed; (?<failed>\d+) failed/gm,
    /^\s*(?<passed>\d+) tests? passed$/gm,
    /^\s*(?<failed>\d+) (?:tests?|uncaught exceptions?|unhandled rejections?) failed$/gm
  ]
  for (const { groups } of patterns.flatMap((pattern) => Array.from(output.matchAll(pattern)))) {
    counts.passed += Number(groups?.passed ?? 0)
    counts.failed += Number(groups?.failed ?? 0)
  }
  return counts
}

/**
 * Shows the output as it comes, and reads it.
 * @param {Step} step
 * @returns {Promise<{ ok: boolean, counts: Counts, failures: string[] }>}
 */
function run({ command, args, env }) {
  return new Promise((resolve) => {
    const color = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: '1', CARGO_TERM_COLOR: 'always' } : {}
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...color, ...env },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let output = ''
    for (const from of /** @type {const} */ (['stdout', 'stderr'])) {
      child[from].setEncoding('utf8').on('data', (text) => {
        output += text
        process[from].write(text)
      })
    }
    child.on('error', (error) => {
      console.error(error.message)
      resolve({ ok: false, counts: { passed: 0, failed: 0 }, failures: [error.message] })
    })
    child.on('close', (code) => {
      const text = stripVTControlCharacters(output)
      const ok = code === 0
      resolve({ ok, counts: countTests(text), failures: ok ? [] : failures(text) })
    })
  })
}

/** @param {string[]} args */
function select(args) {
  if (args.length === 1 && args[0] === 'all') return allSteps([])
  const parts = new Set(allSteps([]).map(({ part }) => part))
  const firstOther = args.findIndex((arg) => !parts.has(arg))
  const named = firstOther < 0 ? args : args.slice(0, firstOther)
  const rest = firstOther < 0 ? [] : args.slice(firstOther)
  if (rest.length > 0 && named.join() !== 'js') return undefined
  return allSteps(rest).filter(({ part }) => (named.length === 0 ? !folders.includes(part) : named.includes(part)))
}

/** @param {Counts} counts */
function line({ passed, failed }) {
  return `${passed} passed, ${failed} failed`
}

async function main() {
  const steps = select(process.argv.slice(2))
  if (steps === undefined) {
    const asked = process.argv.slice(2).includes('--help')
    console[asked ? 'log' : 'error'](usage)
    process.exit(asked ? 0 : 1)
  }
  setup()
  const summary = []
  const failed = []
  const done = { passed: 0, failed: 0 }
  const all = { passed: 0, failed: 0 }
  for (const step of steps) {
    console.log(`\n=== ${step.part}: ${step.title}`)
    const start = performance.now()
    const { ok, counts, failures } = await run(step)
    if (!ok) failed.push(`=== failed: ${step.part}: ${step.title}\n${failures.join('\n')}\n`)
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    const tests = counts.passed + counts.failed > 0 ? `, tests: ${line(counts)}` : ''
    summary.push(`${ok ? 'passed' : 'FAILED'}  ${step.part}: ${step.title} (${seconds} s${tests})`)
    done[ok ? 'passed' : 'failed']++
    all.passed += counts.passed
    all.failed += counts.failed
  }
  console.log(`\n=== summary\n${summary.join('\n')}\n`)
  console.log(`steps: ${line(done)}`)
  if (all.passed + all.failed > 0) console.log(`tests: ${line(all)}`)
  // The failures come last, since a reader looks at the end of a log first.
  for (const text of failed) console.log(`\n${text}`)
  process.exit(done.failed > 0 ? 1 : 0)
}

if (require.main === module) main()

module.exports = { countTests, select }
