'use strict'

// Builds the addon in release mode and puts it beside package.json. Arguments go to cargo.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { platformTuple } = require('../native/platform')

const root = path.join(__dirname, '..', '..')

/** A failure that the user can fix: only its message is shown. */
class BuildError extends Error {}

/** @param {string} version */
function numbers(version) {
  return version.split('.').map(Number)
}

/** @param {string} found @param {string} needed */
function isOlder(found, needed) {
  const [a, b] = [numbers(found), numbers(needed)]
  const i = b.findIndex((n, at) => n !== (a[at] ?? 0))
  return i >= 0 && (a[i] ?? 0) < b[i]
}

/** Throws a BuildError that says what to install, if the toolchain is missing or too old. */
function checkToolchain() {
  const manifest = fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8')
  const needed = /^rust-version\s*=\s*"([\d.]+)"/m.exec(manifest)?.[1] ?? '0'
  const help = `rspool is built from source here, which needs Rust ${needed} or newer`
  for (const tool of ['cargo', 'rustc']) {
    const { error, status, stdout, stderr } = spawnSync(tool, ['--version'], { cwd: root, encoding: 'utf8' })
    if (error) throw new BuildError(`${help}, and ${tool} was not found. Install it from https://rustup.rs`)
    const found = /\d+\.\d+\.\d+/.exec(stdout)?.[0]
    if (status !== 0 || found === undefined) throw new BuildError(`${help}, and ${tool} does not run: ${stderr.trim()}`)
    if (isOlder(found, needed)) throw new BuildError(`${help}, and ${tool} is ${found}. Run: rustup update stable`)
  }
}

/** @typedef {{ tuple?: string, command?: string, flags?: string[] }} Ways for a release: the platform, cargo's command, flags of rustc */

/** Keeps the builder's folders out of the addon, since panics name files. @param {string[]} more flags of rustc */
function withoutPaths(more) {
  const home = process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo')
  const sources = path.join(home, 'registry', 'src')
  const registries = fs.existsSync(sources) ? fs.readdirSync(sources).map((name) => path.join(sources, name)) : []
  // The last one that matches counts.
  const flags = [...[home, root].map((folder) => [folder, '']), ...registries.map((folder) => [folder, 'crates'])].map(
    ([folder, name]) => `--remap-path-prefix=${folder}=${name}`
  )
  return ['--config', `target.'cfg(all())'.rustflags=${JSON.stringify([...flags, ...more])}`]
}

/** Runs cargo, and gives the path of the library that it has made. @param {string[]} args @param {Ways} ways */
function compile(args, { command = 'build', flags = [] }) {
  const fixed = ['--release', '--lib', '--message-format=json-render-diagnostics', ...withoutPaths(flags)]
  const all = [command, ...fixed, ...args]
  const { status, signal, stdout } = spawnSync('cargo', all, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: Infinity
  })
  if (status !== 0) throw new BuildError(`cargo build failed (${signal ?? `exit code ${status}`})`)
  for (const line of stdout.split('\n').filter((line) => line.includes('"compiler-artifact"'))) {
    const { target, filenames } = JSON.parse(line)
    if (target.name !== 'rspool' || !target.kind.includes('cdylib')) continue
    const library = filenames.find((/** @type {string} */ file) => /\.(so|dylib|dll)$/.test(file))
    if (library !== undefined) return library
  }
  throw new BuildError('cargo build made no library of rspool')
}

/**
 * Puts a new file in place in one step. The old one may be mapped by a running process, which writing
 * into it would crash, and macOS caches signatures by inode.
 * @param {string} from
 * @param {string} to
 */
function place(from, to) {
  const bytes = fs.readFileSync(from)
  if (fs.existsSync(to) && fs.readFileSync(to).equals(bytes)) return false
  const fresh = `${to}.${process.pid}`
  try {
    fs.writeFileSync(fresh, bytes, { mode: 0o755 })
    fs.renameSync(fresh, to)
  } catch (error) {
    fs.rmSync(fresh, { force: true })
    const { message } = /** @type {Error} */ (error)
    throw new BuildError(`${to} cannot be replaced (${message}). Does a running process use it?`)
  }
  return true
}

/** @param {string[]} [args] for cargo @param {Ways} [ways] */
function build(args = [], ways = {}) {
  checkToolchain()
  // Half a gigabyte of intermediate files is useful only in a checkout.
  const inApp = root.split(path.sep).includes('node_modules') && process.env.CARGO_TARGET_DIR === undefined
  const scratch = inApp ? fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-build-')) : undefined
  try {
    const library = compile(scratch ? ['--target-dir', scratch, ...args] : args, ways)
    const file = `rspool.${ways.tuple ?? platformTuple()}.node`
    const changed = place(library, path.join(root, file))
    console.log(changed ? `${file} is built` : `${file} is up to date`)
  } finally {
    if (scratch) fs.rmSync(scratch, { recursive: true, force: true })
  }
}

/** Runs `work`; a BuildError ends the process with its message, without a stack. @param {() => void} work */
function orExit(work) {
  try {
    work()
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    console.error(`\n${error.message}`)
    process.exit(1)
  }
}

module.exports = { build, checkToolchain, isOlder, orExit, place, BuildError }
