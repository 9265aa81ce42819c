'use strict'

// A dry run of the release: publishes the packages of a folder to a registry on this machine, installs them with npm, and
// runs a small app. In the release workflow it runs on a machine of each platform before anything is published.

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { publish } = require('./publish')
const { startRegistry } = require('./registry')
const { version } = require('../../package.json')

/** The app that is run. Its files are beside the specs of `ship`. */
const APP = path.join(__dirname, '..', '..', '__test__', 'ship', 'app')

/** Clusters work on Unix only. */
const PROGRAMS = ['main.cjs', 'main.mjs', ...(process.platform === 'win32' ? [] : ['cluster.cjs'])]

/** The environment without the settings of this machine's package managers, which must not affect those under test. */
function cleanEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(npm|pnpm|yarn|bun)_/i.test(key)))
}

/**
 * An environment in which npm and others know only that registry. If they run `cargo`, it fails and says that it was run.
 * @param {string} home
 * @param {string} url of the registry
 */
function environment(home, url) {
  const bin = path.join(home, 'bin')
  fs.mkdirSync(bin, { recursive: true })
  fs.writeFileSync(path.join(bin, 'cargo'), '#!/bin/sh\necho cargo was run >&2\nexit 99\n', { mode: 0o755 })
  fs.writeFileSync(path.join(home, '.npmrc'), `registry=${url}\n//${new URL(url).host}/:_authToken=none\n`)
  return {
    ...cleanEnvironment(),
    HOME: home,
    USERPROFILE: home,
    PATH: `${bin}${path.delimiter}${process.env.PATH}`,
    NPM_CONFIG_USERCONFIG: path.join(home, '.npmrc'),
    NPM_CONFIG_CACHE: path.join(home, 'npm-cache')
  }
}

/** @param {string} command @param {string[]} args @param {string} cwd @param {NodeJS.ProcessEnv} env @returns {Promise<string>} what the command printed */
function run(command, args, cwd, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32'
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`))
    })
  })
}

/** @param {string} packed the folder of the packages */
async function tryRelease(packed) {
  const home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-try-')))
  const registry = await startRegistry()
  try {
    const env = environment(home, registry.url)
    await publish(packed, ['--silent'], env)
    const app = path.join(home, 'app')
    fs.cpSync(APP, app, { recursive: true })
    await run('npm', ['install', '--ignore-scripts', `rspool@${version}`], app, env)
    for (const file of PROGRAMS) console.log(await run('node', [file], app, env))
    console.log(await run('npx', ['rspool', 'doctor'], app, env))
  } finally {
    await registry.close()
    fs.rmSync(home, { recursive: true, force: true, maxRetries: 3 })
  }
}

if (require.main === module) tryRelease(path.resolve(process.argv[2]))

module.exports = { APP, environment, run }
