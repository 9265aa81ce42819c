'use strict'

// Runs piscina's own test suite, as its package carries it, against rspool/piscina:
//   npm run test:piscina [-- a part of a file's name ...]
// docs/migrate/piscina.md lists the tests that may fail, with the reason. Any other failure is an error, and so is a
// listed test that passes.

const { execFileSync, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { pathToFileURL } = require('node:url')

const root = path.join(__dirname, '..')
const { version } = require('../piscina.js')

/** The packages that the suite needs besides piscina. */
const TOOLS = ['concat-stream@2', 'tsx@4']

/** @param {string} file of this package, as it is written in code */
const ours = (file) => JSON.stringify(path.join(root, file))
/** @param {string} file */
const oursAsUrl = (file) => JSON.stringify(pathToFileURL(path.join(root, file)).href)

/** The modules of piscina that its suite loads, each with the code that replaces it here. */
const MODULES = {
  'main.js': `module.exports = require(${ours('piscina.js')})`,
  'index.js': `
    const Piscina = require(${ours('piscina.js')})
    exports.__esModule = true
    exports.default = Piscina
    for (const name of Object.getOwnPropertyNames(Piscina)) if (!(name in exports)) exports[name] = Piscina[name]`,
  'symbols.js': `exports.kQueueOptions = require(${ours('piscina.js')}).queueOptionsSymbol`,
  'common.js': `
    const { isMoved, isTransferable, mark } = require(${ours('lib/payload/move.js')})
    Object.assign(exports, { isMovable: isMoved, isTransferable, markMovable: mark })
    exports.getAvailableParallelism = require('node:os').availableParallelism`,
  // The suite uses only its types.
  'worker_pool.js': '',
  'esm-wrapper.mjs': `
    export * from ${oursAsUrl('piscina.js')}
    export { default } from ${oursAsUrl('piscina.js')}`
}

/** Writes a line of JSON for each test that has ended. */
const REPORTER = `
export default async function* (events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const { name, file, skip, todo, details } = data
    if (details?.type === 'suite') continue
    const { error } = details ?? {}
    const message = String(error?.cause?.message ?? error?.message ?? '').split('\\n').slice(0, 4).join(' ')
    yield JSON.stringify({ name, file, skipped: skip !== undefined, passed: type === 'test:pass', message }) + '\\n'
  }
}`

/** @param {string} dir */
function prepare(dir) {
  fs.writeFileSync(path.join(dir, 'package.json'), '{ "private": true }')
  const install = [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    `piscina@${version}`,
    ...TOOLS
  ]
  execFileSync('npm', install, {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32'
  })
  const suite = path.join(dir, 'suite')
  const original = path.join(dir, 'node_modules', 'piscina')
  fs.cpSync(path.join(original, 'test'), path.join(suite, 'test'), { recursive: true })
  fs.copyFileSync(path.join(original, 'package.json'), path.join(suite, 'package.json'))
  fs.mkdirSync(path.join(suite, 'dist'))
  for (const [name, source] of Object.entries(MODULES)) fs.writeFileSync(path.join(suite, 'dist', name), source)
  fs.writeFileSync(path.join(suite, 'reporter.mjs'), REPORTER)
  return suite
}

/** The tests that may fail, as `file › name`, and whether they always do. @returns {Map<string, boolean>} */
function expectedFailures() {
  const page = fs.readFileSync(path.join(root, 'docs/migrate/piscina.md'), 'utf8')
  const rows = page.matchAll(/^\| `(\S+\.test\.ts)` \| (.+?) \| (.+) \|$/gm)
  return new Map([...rows].map(([, file, name, why]) => [`${file} › ${name}`, !why.startsWith('sometimes')]))
}

/**
 * @param {string} suite
 * @param {string[]} parts of the names of the files
 * @returns {{ id: string, skipped: boolean, passed: boolean, message: string }[]}
 */
function run(suite, parts) {
  const files = fs
    .readdirSync(path.join(suite, 'test'))
    .filter((file) => file.endsWith('.test.ts') && (parts.length === 0 || parts.some((part) => file.includes(part))))
  const { stdout } = spawnSync(
    process.execPath,
    [
      '--import=tsx',
      '--test',
      '--test-concurrency=2',
      '--test-timeout=120000',
      '--test-reporter=./reporter.mjs',
      ...files.map((file) => `test/${file}`)
    ],
    { cwd: suite, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 }
  )
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'))
  if (lines.length === 0) throw new Error(`No test ran:\n${stdout}`)
  return lines.map((line) => {
    const { name, file, ...rest } = JSON.parse(line)
    // A failure outside of a test is reported under its file.
    const id =
      path.isAbsolute(name) || name.endsWith('.test.ts') ? path.basename(name) : `${path.basename(file)} › ${name}`
    return { id, ...rest }
  })
}

/**
 * Many of the tests wait for some milliseconds and then check, which may be too early on a loaded machine. The files of
 * tests that fail unexpectedly run again, each file alone.
 * @param {string} suite
 * @param {ReturnType<typeof run>} results
 * @param {Map<string, boolean>} expected
 */
function again(suite, results, expected) {
  const files = new Set(results.flatMap(({ id, passed }) => (passed || expected.has(id) ? [] : id.split(' › ')[0])))
  const kept = results.filter(({ id }) => !files.has(id.split(' › ')[0]))
  return [...kept, ...[...files].flatMap((file) => run(suite, [file]))]
}

function main() {
  const parts = process.argv.slice(2)
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-piscina-'))
  try {
    const suite = prepare(dir)
    const expected = expectedFailures()
    const results = again(suite, run(suite, parts), expected)
    const failed = results.filter(({ passed }) => !passed)
    const passed = results.filter(({ passed, skipped }) => passed && !skipped)
    const unexpected = failed.filter(({ id }) => !expected.has(id))
    const always = parts.length > 0 ? [] : [...expected].flatMap(([id, always]) => (always ? id : []))
    const healed = always.filter((id) => !failed.some((each) => each.id === id))
    for (const { id, message } of failed)
      console.log(`${expected.has(id) ? 'expected' : 'FAILED  '}  ${id}: ${message}`)
    for (const id of healed) console.log(`PASSED    ${id}, which docs/migrate/piscina.md lists as failing`)
    const share = ((100 * passed.length) / (passed.length + failed.length)).toFixed(1)
    console.log(
      `piscina ${version} on Node.js ${process.version}: ${passed.length} passed, ${failed.length} failed ` +
        `(${failed.length - unexpected.length} of them expected), ${results.length - passed.length - failed.length} skipped: ${share} %`
    )
    process.exitCode = unexpected.length + healed.length > 0 ? 1 : 0
  } finally {
    fs.rmSync(dir, { recursive: true, force: true })
  }
}

main()
