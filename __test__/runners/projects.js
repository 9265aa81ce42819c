'use strict'

// What the specs share: projects with code that uses inline functions, which each runner tests in its own way.

const fs = require('node:fs')
const path = require('node:path')
const { toolsOf } = require('../../scripts/tools')
const { directory, node } = require('../helpers')

const modules = path.join(toolsOf('runners'), 'node_modules')

const functions = `
const pool = new Pool({ maxThreads: 2 })
const unused = (n) => n - 1
const double = (n) => {
  if (n > 1e9) return unused(n)
  return n * 2
}
const branches = (n) => pool.runTask((x) => { if (x > 2) { return x + 1 } return 0 }, [n])
const waits = (o) => pool.runTask(async (given) => {
  const { a, ...rest } = given
  const more = await Promise.resolve(4)
  return { ...rest, more }
}, [o])
const loads = () => pool.runTask(async () => { const path = await import('node:path'); return path.posix.sep })
const slow = () => pool.runTask(() => new Promise(() => {}), [], { timeout: 50 }).catch((error) => error.code)
const outer = () => pool.runTask(() => sep).catch((error) => error.message)
const all = async () => JSON.stringify([
  double(2), await branches(3), await waits({ a: 1, b: 2 }), await loads(), await runTask('hash.crc32', 'a'), await slow()
])
`

/** What `all` of the code gives. */
const EXPECTED = '[4,4,{"b":2,"more":4},"/",3904355907,"ERR_RSPOOL_TASK_TIMEOUT"]'

/** The functions of the code that run in the test's own thread, of all. */
const COVERED = '9 of 16'

const ESM = `import { sep } from 'node:path'\nimport { Pool, runTask } from 'rspool'\n${functions}\nexport { all, outer }\n`
const CJS = `const { sep } = require('node:path')\nconst { Pool, runTask } = require('rspool')\n${functions}\nmodule.exports = { all, outer }\n`

/**
 * A project in which the package and the runners are installed.
 * @param {import('ava').ExecutionContext} t
 * @param {Record<string, string>} files
 */
function project(t, files) {
  const dir = directory(t, { 'package.json': '{ "name": "project", "private": true }', ...files })
  fs.symlinkSync(modules, path.join(dir, 'node_modules'), 'junction')
  return dir
}

/**
 * Runs a runner, which has to end by itself.
 * @param {import('ava').ExecutionContext} t
 * @param {string} dir
 * @param {string[]} args of node; the first is a file of the modules, or an option
 */
async function run(t, dir, args) {
  const [first, ...rest] = args
  const file = first.startsWith('-') ? first : path.join(modules, first)
  const { NODE_TEST_CONTEXT, NODE_V8_COVERAGE, ...env } = process.env
  const { code, signal, stdout, stderr } = await node([file, ...rest], {
    cwd: dir,
    env: { ...env, NO_COLOR: '1', FORCE_COLOR: '0', CI: '1' },
    timeout: 110_000
  })
  const output = stdout + stderr
  t.is(signal, null, output)
  t.is(code, 0, output)
  t.notRegex(output, /did not exit|failed to exit|force exited|open handle|hanging|Unhandled/i)
  return output
}

/** The figures of a report of coverage for one file. @param {string} dir @param {string} file */
function coverageOf(dir, file) {
  const summary = JSON.parse(fs.readFileSync(path.join(dir, 'coverage/coverage-summary.json'), 'utf8'))
  const { functions, branches, statements } = summary[path.join(dir, file)]
  const figures = ({ covered, total }) => `${covered} of ${total}`
  return { functions: figures(functions), branches: figures(branches), statements: figures(statements) }
}

module.exports = { COVERED, ESM, CJS, EXPECTED, project, run, coverageOf }
