'use strict'

// The release, published to a registry on this machine and installed by each package manager, without scripts and
// without cargo.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const test = require('ava')
const { publish } = require('../../scripts/release/publish')
const { startRegistry } = require('../../scripts/release/registry')
const { APP, environment, run } = require('../../scripts/release/try')
const { runtimes } = require('../../scripts/runtimes')
const version = require('../../lib/version')
const { root } = require('../helpers')
const { NAMES, PACKED, TUPLE, tool } = require('./packages')

/** @type {Awaited<ReturnType<typeof startRegistry>>} */
let registry
/** @type {string} */
let home
/** @type {NodeJS.ProcessEnv} */
let env

test.before(async () => {
  home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-installers-')))
  registry = await startRegistry()
  env = environment(home, registry.url)
  await publish(PACKED, ['--silent'], env)
})
test.after.always(async () => {
  await registry?.close()
  fs.rmSync(home, { recursive: true, force: true, maxRetries: 3 })
})

/** The app of the smoke test, which depends on the package. @param {string} name @param {Record<string, string>} [files] */
function appFor(name, files = {}) {
  const dir = path.join(home, name)
  fs.cpSync(APP, dir, { recursive: true })
  const description = { name, version: '1.0.0', private: true, dependencies: { rspool: version } }
  for (const [file, text] of Object.entries({ 'package.json': JSON.stringify(description), ...files }))
    fs.writeFileSync(path.join(dir, file), text)
  return dir
}

/** @param {import('ava').ExecutionContext} t @param {(file: string) => Promise<string>} start */
async function runs(t, start) {
  t.regex(await start('main.cjs'), /CommonJS is fine/)
  t.regex(await start('main.mjs'), /ESM is fine/)
  t.regex(await start('cluster.cjs'), /the cluster is fine/)
}

test('every package of the release is published', (t) => {
  t.deepEqual(registry.names().sort(), [...NAMES].sort())
})

test('npm installs it, and the one addon of this platform', async (t) => {
  const dir = appFor('npm')
  const printed = await run('npm', ['install', '--ignore-scripts'], dir, env)
  t.notRegex(printed, /warn|allowScripts|cargo/i)
  t.deepEqual(
    fs
      .readdirSync(path.join(dir, 'node_modules'))
      .filter((name) => name.startsWith('rspool'))
      .sort(),
    ['rspool', `rspool-${TUPLE}`]
  )
  await runs(t, (file) => run('node', [file], dir, env))
  t.regex(await run('npx', ['rspool', 'doctor'], dir, env), new RegExp(`rspool-${TUPLE}`))
})

test('pnpm installs it', async (t) => {
  const dir = appFor('pnpm')
  const printed = await run('node', [tool('pnpm/bin/pnpm.cjs'), 'install', '--ignore-scripts'], dir, env)
  t.notRegex(printed, /Ignored build scripts/)
  await runs(t, (file) => run('node', [file], dir, env))
})

test('yarn 1 installs it', async (t) => {
  const dir = appFor('yarn1')
  await run('node', [tool('yarn/bin/yarn.js'), 'install', '--ignore-scripts', '--no-progress'], dir, env)
  await runs(t, (file) => run('node', [file], dir, env))
})

test("yarn 4 installs it for its Plug'n'Play", async (t) => {
  const dir = appFor('yarn4', {
    'yarn.lock': '',
    '.yarnrc.yml': `nodeLinker: pnp
pnpEnableEsmLoader: true
enableTelemetry: false
enableScripts: false
enableGlobalCache: false
npmMinimalAgeGate: 0
npmRegistryServer: '${registry.url}'
unsafeHttpWhitelist: ['127.0.0.1']
`
  })
  const yarn = [path.join(root, 'node_modules/@yarnpkg/cli-dist/bin/yarn.js')]
  await run('node', [...yarn, 'install', '--no-immutable'], dir, env)
  await runs(t, (file) => run('node', [...yarn, 'node', file], dir, env))
})

test('Bun installs and runs it', async (t) => {
  const bun = runtimes().find(({ kind }) => kind === 'bun')
  const dir = appFor('bun', { 'bunfig.toml': `[install]\nregistry = "${registry.url}"\n` })
  await run(bun.file, ['install', '--ignore-scripts'], dir, env)
  t.regex(await run(bun.file, ['main.cjs'], dir, env), /CommonJS is fine/)
  t.regex(await run(bun.file, ['main.mjs'], dir, env), /ESM is fine/)
})
