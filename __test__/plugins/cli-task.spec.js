'use strict'

// Native tasks of a user's own, made and built as a new user does it: from the packed package, with nothing else there.

const { execFile, execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { promisify } = require('node:util')
const test = require('ava')
const { platformTuple } = require('../../lib/native/platform')

const root = path.join(__dirname, '..', '..')
const onWindows = process.platform === 'win32'

/** @type {string} the folder of an app that has the package */
let app

test.before(async (t) => {
  t.timeout(600_000, 'packs and installs')
  app = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-cli-task-')))
  const npm = (/** @type {string[]} */ args, /** @type {string} */ cwd) =>
    promisify(execFile)('npm', args, { cwd, shell: onWindows })
  const { stdout } = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', app], root)
  const [{ filename }] = JSON.parse(stdout)
  fs.writeFileSync(path.join(app, 'package.json'), '{ "name": "app", "private": true }')
  await npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--offline', `./${filename}`], app)
})

test.after.always(() => fs.rmSync(app, { recursive: true, force: true }))

/** Runs the installed command in the app. */
function rspool(...args) {
  return new Promise((resolve) => {
    const main = path.join(app, 'node_modules', 'rspool', 'lib', 'cli', 'main.js')
    execFile(process.execPath, [main, ...args], { cwd: app, maxBuffer: 1e8 }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr })
    )
  })
}

/** Runs a program in the app. */
function node(source) {
  return promisify(execFile)(process.execPath, ['-e', source], { cwd: app })
}

test('three commands lead from nothing to a task of one’s own', async (t) => {
  t.timeout(600_000, 'builds a crate')
  const made = await rspool('new-task', 'words')
  t.is(made.code, 0, made.stderr)
  const built = await rspool('build-task', 'words')
  t.is(built.code, 0, built.stderr)
  const { stdout } = await node(`
    const { loadTasks, tasks } = require('rspool')
    loadTasks('./words').then(() => tasks.words.count('one two three')).then(console.log)
  `)
  t.is(stdout, '3\n')

  const folder = path.join(app, 'words')
  t.true(fs.existsSync(path.join(folder, `words.${platformTuple()}.node`)))
  const types = fs.readFileSync(path.join(folder, 'index.d.ts'), 'utf8')
  t.true(types.includes("'words.count': { input: BytesLike; params: {"), types)
  t.is((await rspool('types', 'words')).stdout, types)
  fs.mkdirSync(path.join(app, 'src'))
  fs.writeFileSync(
    path.join(app, 'src', 'user.mts'),
    `import { tasks } from 'rspool'\nimport { load } from '../words/index.js'\nawait load()\n` +
      "const n: number = await tasks.words.count('x', { params: { minLetters: 2 } })\n" +
      "// @ts-expect-error\nawait tasks.words.count('x', { params: { minLettres: n } })\n"
  )
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const roots = path.join(root, 'node_modules', '@types')
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck']
  const checked = await promisify(execFile)(
    process.execPath,
    [tsc, ...flags, '--typeRoots', roots, '--types', 'node', 'src/user.mts'],
    { cwd: app }
  ).catch((error) => error)
  t.is(checked.stdout, '')

  // As a package of that name.
  fs.symlinkSync(folder, path.join(app, 'node_modules', 'words'), 'junction')
  const byName = await node(`
    const { loadTasks, runTask } = require('rspool')
    loadTasks('words').then(() => runTask('words.count', 'a b')).then(console.log)
  `)
  t.is(byName.stdout, '2\n')
  const tests = await promisify(execFile)(process.execPath, ['--test'], { cwd: folder })
  t.regex(tests.stdout, /pass 2/)
  const rust = execFileSync('cargo', ['test', '--quiet'], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore']
  })
  t.regex(rust, /2 passed/)
})

test('a name that can be none, and a folder that is there, are refused', async (t) => {
  const name = await rspool('new-task', 'Bad-Name')
  t.is(name.code, 64)
  t.regex(name.stderr, /'Bad-Name' can be no name of tasks/)
  fs.mkdirSync(path.join(app, 'full'))
  fs.writeFileSync(path.join(app, 'full', 'file'), '')
  const full = await rspool('new-task', 'full')
  t.is(full.code, 1)
  t.regex(full.stderr, /full is there already, and not empty/)
  t.deepEqual(fs.readdirSync(path.join(app, 'full')), ['file'])
})

test('a folder without tasks, and what is no library, are named', async (t) => {
  const nothing = await rspool('build-task', 'nowhere')
  t.is(nothing.code, 64)
  t.regex(nothing.stderr, /nowhere is no folder of native tasks/)
  const types = await rspool('types', 'package.json')
  t.is(types.code, 1)
  t.regex(types.stderr, /it is no library that can be loaded/)
})

test('the path to the crate is corrected where it leads nowhere', async (t) => {
  t.timeout(600_000, 'builds a crate')
  t.is((await rspool('new-task', 'moved')).code, 0)
  const manifest = path.join(app, 'moved', 'Cargo.toml')
  const text = fs.readFileSync(manifest, 'utf8')
  fs.writeFileSync(manifest, text.replace(/path = ".*"/, 'path = "../elsewhere/task"'))
  const built = await rspool('build-task', 'moved', '--debug')
  t.is(built.code, 0, built.stderr)
  t.is(fs.readFileSync(manifest, 'utf8'), text)
})

test('what does not compile fails, and leaves no library', async (t) => {
  t.timeout(600_000, 'builds a crate')
  t.is((await rspool('new-task', 'broken', '--into', 'other')).code, 0)
  fs.writeFileSync(path.join(app, 'other', 'src', 'lib.rs'), 'fn')
  const built = await rspool('build-task', 'other', '--debug')
  t.is(built.code, 1)
  t.regex(built.stderr, /cargo build failed/)
  t.deepEqual(
    fs.readdirSync(path.join(app, 'other')).filter((file) => file.endsWith('.node')),
    []
  )
})
