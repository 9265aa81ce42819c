'use strict'

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { promisify } = require('node:util')
const test = require('ava')
const { platformTuple, libcOfExecutable, libcOfReport } = require('../lib/native/platform')
const { PREBUILT, prebuilt } = require('../lib/native/prebuilt')
const { tupleOf } = require('../scripts/release/targets')
const version = require('../lib/version')

const root = path.join(__dirname, '..')
const tuple = platformTuple()
const addonName = `rspool.${tuple}.node`
const run = promisify(execFile)

/** A copy of the package without its addon. @param {import('ava').ExecutionContext} t */
function install(t) {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-load-')))
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true }))
  fs.cpSync(path.join(root, 'lib'), path.join(dir, 'lib'), { recursive: true })
  return dir
}

function installPrebuilt(dir, source) {
  const home = path.join(dir, 'node_modules', `rspool-${tuple}`)
  fs.mkdirSync(home, { recursive: true })
  fs.writeFileSync(path.join(home, 'index.js'), source)
}

const program = `
try {
  const addon = require('./lib/native/load')
  console.log(JSON.stringify({ version: addon.version(), from: addon.from }))
} catch (e) {
  const { RspoolError } = require('./lib/errors')
  const causes = e.cause instanceof AggregateError ? e.cause.errors : [e.cause]
  console.log(JSON.stringify({ code: e.code, message: e.message, causes: causes.map(String), known: e instanceof RspoolError }))
}`

async function load(dir, env = {}) {
  const { stdout } = await run(process.execPath, ['-e', program], {
    cwd: dir,
    env: { ...process.env, RSPOOL_NATIVE_PATH: undefined, ...env }
  })
  return JSON.parse(stdout)
}

test('loads the local build', async (t) => {
  const dir = install(t)
  fs.copyFileSync(path.join(root, addonName), path.join(dir, addonName))
  t.deepEqual(await load(dir), { version })
})

test('prefers the prebuilt package', async (t) => {
  const dir = install(t)
  fs.copyFileSync(path.join(root, addonName), path.join(dir, addonName))
  installPrebuilt(dir, `module.exports = { version: () => '${version}', from: 'prebuilt' }`)
  t.deepEqual(await load(dir), { version, from: 'prebuilt' })
})

test('passes over a prebuilt package of another version', async (t) => {
  const dir = install(t)
  fs.copyFileSync(path.join(root, addonName), path.join(dir, addonName))
  installPrebuilt(dir, `module.exports = { version: () => '0.0.1', from: 'prebuilt' }`)
  t.deepEqual(await load(dir), { version })
})

test('names the platform, the tried files and the way out when there is no addon', async (t) => {
  const dir = install(t)
  const { code, message, causes, known } = await load(dir)
  t.is(code, 'ERR_RSPOOL_NATIVE_NOT_FOUND')
  t.true(known)
  t.is(causes.length, 2)
  for (const part of [
    process.platform,
    process.arch,
    process.versions.node,
    `rspool-${tuple}`,
    path.join(dir, addonName)
  ]) {
    t.true(message.includes(part), `${part} is not in: ${message}`)
  }
  for (const part of ['npm run build', 'npx rspool build', 'report']) t.true(message.includes(part))
  t.false(message.includes('Require stack'))
})

test('tells a broken file from a missing one', async (t) => {
  const dir = install(t)
  fs.writeFileSync(path.join(dir, addonName), 'no shared library')
  const { code, message } = await load(dir)
  t.is(code, 'ERR_RSPOOL_NATIVE_NOT_FOUND')
  const line = message.split('\n').find((line) => line.includes(path.join(dir, addonName)))
  t.notRegex(line, /Cannot find module/)
})

test('refuses an addon of another version, and names both', async (t) => {
  const dir = install(t)
  fs.writeFileSync(path.join(dir, 'lib/version.js'), "module.exports = '99.0.0'")
  fs.copyFileSync(path.join(root, addonName), path.join(dir, addonName))
  const { code, message } = await load(dir)
  t.is(code, 'ERR_RSPOOL_NATIVE_NOT_FOUND')
  t.true(message.includes(`the addon is of version ${version}, the package of version 99.0.0`))
})

test('RSPOOL_NATIVE_PATH is loaded from wherever it is', async (t) => {
  const dir = install(t)
  fs.mkdirSync(path.join(dir, 'elsewhere'))
  fs.copyFileSync(path.join(root, addonName), path.join(dir, 'elsewhere', 'some.node'))
  t.deepEqual(await load(dir, { RSPOOL_NATIVE_PATH: 'elsewhere/some.node' }), { version })
})

test('RSPOOL_NATIVE_PATH is tried alone', async (t) => {
  const dir = install(t)
  fs.copyFileSync(path.join(root, addonName), path.join(dir, addonName))
  fs.writeFileSync(path.join(dir, 'other.js'), 'module.exports = {}')
  const { code, message, causes } = await load(dir, { RSPOOL_NATIVE_PATH: 'other.js' })
  t.is(code, 'ERR_RSPOOL_NATIVE_NOT_FOUND')
  t.deepEqual(causes, ['Error: the file is an addon, but not that of rspool'])
  t.regex(message, /RSPOOL_NATIVE_PATH is set/)
})

test('each platform that a package is published for is required by a literal name', (t) => {
  const source = fs.readFileSync(path.join(root, 'lib/native/prebuilt.js'), 'utf8')
  const { napi } = require('../package.json')
  t.is(PREBUILT.length, napi.targets.length)
  for (const target of napi.targets) {
    const platform = tupleOf(target)
    t.true(PREBUILT.includes(platform), platform)
    t.true(source.includes(`case '${platform}':\n        return { addon: require('rspool-${platform}') }`), platform)
  }
})

test('a platform that no package is published for is told so', (t) => {
  t.regex(prebuilt('sunos-x64').error.message, /no package is published for this platform/)
})

test('the C library is read from the interpreter of an executable', (t) => {
  t.is(libcOfExecutable(Buffer.from('\x7fELF\0/lib64/ld-linux-x86-64.so.2\0')), 'gnu')
  t.is(libcOfExecutable(Buffer.from('\x7fELF\0/lib/ld-musl-aarch64.so.1\0')), 'musl')
  t.is(libcOfExecutable(Buffer.from('\x7fELF\0statically linked')), undefined)
})

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('the report agrees with the interpreter', (t) => {
  t.is(libcOfReport(), tuple.split('-').at(-1))
})
