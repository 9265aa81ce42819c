'use strict'

// `npm run proof`: shows what tests alone do not show. docs/ARCHITECTURE.md says what each part proves. A part that cannot
// run here says why, and is never counted as passed.

const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { platformTuple } = require('../lib/native/platform')
const { setup, root } = require('./setup')

const usage = `Usage: npm run proof -- [--quick] [part ...]

Parts: fuzz, loom, state, tsan, asan, miri. Without one, all of them; with --quick those that take seconds.`

/** @typedef {{ command: string, args: string[], env?: Record<string, string>, cwd?: string }} Step */
/** @typedef {{ quick: boolean, steps: (quick: boolean) => Step[] | string }} Part a text instead of steps says why the part cannot run */

const target = 'x86_64-unknown-linux-gnu'

/** @param {string[]} args @param {Record<string, string>} [env] @returns {Step} */
const cargo = (args, env) => ({ command: 'cargo', args, env })

/** @param {string} command @param {string[]} args */
function output(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', cwd: root })
  return status === 0 ? stdout.trim() : undefined
}

/** Why code cannot be built with a sanitizer here, if it cannot. @param {'tsan' | 'asan'} runtime */
function noSanitizer(runtime) {
  if (platformTuple() !== 'linux-x64-gnu') return `only tried on ${target}`
  const sysroot = output('rustc', ['--print', 'sysroot']) ?? ''
  const libs = path.join(sysroot, 'lib', 'rustlib', target, 'lib')
  const found = fs.existsSync(libs) && fs.readdirSync(libs).some((file) => file.endsWith(`_rt.${runtime}.a`))
  return found ? undefined : `the toolchain has no runtime of ${runtime}`
}

/**
 * The environment in which cargo builds with a sanitizer. The stable compiler takes the flag only with RUSTC_BOOTSTRAP.
 * The standard library is not rebuilt.
 * @param {'thread' | 'address'} sanitizer
 * @returns {Record<string, string>}
 */
const sanitized = (sanitizer) => ({
  RUSTC_BOOTSTRAP: '1',
  RUSTFLAGS: `-Zsanitizer=${sanitizer} -Cunsafe-allow-abi-mismatch=sanitizer`,
  // Set by the profile: the compiler's own flag would turn off additional checks in the tests of the scheduler.
  CARGO_PROFILE_TEST_OPT_LEVEL: '1',
  CARGO_PROFILE_RELEASE_OPT_LEVEL: '1',
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
  CARGO_PROFILE_RELEASE_STRIP: 'none'
})

/** @type {Record<string, Part>} */
const parts = {
  fuzz: {
    quick: true,
    steps: (quick) =>
      ['payload', 'messages', 'params', 'map'].map((name) => ({
        command: process.execPath,
        args: ['--max-old-space-size=400', path.join('proof', 'fuzz', 'main.js'), name, quick ? '3000' : '200000']
      }))
  },
  loom: {
    quick: true,
    steps: () => [
      {
        // At most three preemptions of a thread: without a bound the models of helpers would not end.
        ...cargo(['test', '--locked', 'models'], { RUSTFLAGS: '--cfg loom', LOOM_MAX_PREEMPTIONS: '3' }),
        cwd: path.join(root, 'proof', 'loom')
      }
    ]
  },
  state: {
    quick: true,
    steps: (quick) => {
      // If quick, only the state machine of random steps; otherwise all of the scheduler, and damaged memory.
      const [tests, cases] = quick
        ? [['state::tests::machine'], '400']
        : [['scheduler', 'memory::map::tests::spoilt', 'memory::ring'], '2000']
      return tests.map((of) => cargo(['test', '--no-default-features', '--lib', of], { PROPTEST_CASES: cases }))
    }
  },
  tsan: {
    quick: false,
    steps: () =>
      noSanitizer('tsan') ?? [
        cargo(
          [
            'test',
            '--no-default-features',
            '--lib',
            '--target',
            target,
            '--target-dir',
            'target/tsan',
            // cargo itself takes only one filter, so the filters follow `--`.
            '--',
            'scheduler::tests',
            'scheduler::driver',
            'outbox',
            'borrowed',
            'counters',
            'bytes'
          ],
          {
            ...sanitized('thread'),
            TSAN_OPTIONS: `suppressions=${path.join(root, 'proof', 'tsan.supp')} halt_on_error=0 exitcode=66`
          }
        )
      ]
  },
  asan: {
    quick: false,
    steps() {
      const why = noSanitizer('asan')
      if (why !== undefined) return why
      const runtime = output('cc', ['-print-file-name=libasan.so'])
      if (runtime === undefined || !path.isAbsolute(runtime)) return 'there is no libasan.so to load before Node.js'
      const built = path.join(root, 'target', 'asan', target, 'release', 'librspool.so')
      // Node.js loads a file as an addon only if its name ends in `.node`.
      const addon = path.join(root, 'target', 'asan', 'rspool.node')
      return [
        cargo(['build', '--release', '--lib', '--target', target, '--target-dir', 'target/asan'], sanitized('address')),
        { command: process.execPath, args: ['-e', 'fs.copyFileSync(process.argv[1], process.argv[2])', built, addon] },
        {
          command: process.execPath,
          args: [
            path.join('stress', 'main.js'),
            '--rounds',
            '5',
            '--tasks',
            '5000',
            '--only',
            'open-close,mixed,destroy-busy,terminate-owner'
          ],
          env: {
            RSPOOL_NATIVE_PATH: addon,
            LD_PRELOAD: fs.realpathSync(runtime),
            // Node.js frees some memory only by ending, and its own allocations are not ours to check.
            ASAN_OPTIONS: 'detect_leaks=0:alloc_dealloc_mismatch=0:halt_on_error=1:exitcode=66'
          }
        }
      ]
    }
  },
  miri: {
    quick: false,
    steps: () =>
      output('cargo', ['miri', '--version']) === undefined
        ? 'no miri'
        : [
            cargo(
              [
                'miri',
                'test',
                '--no-default-features',
                '--lib',
                '--',
                'memory::b',
                'memory::counters',
                'scheduler::slab',
                'scheduler::queue',
                'scheduler::wheel'
              ],
              {
                MIRIFLAGS: '-Zmiri-disable-isolation',
                PROPTEST_CASES: '4'
              }
            ),
            cargo(['miri', 'test', '-p', 'rspool-task', '--lib'], { MIRIFLAGS: '-Zmiri-disable-isolation' })
          ]
  }
}

/** @param {Step} step @returns {Promise<boolean>} */
function run({ command, args, env, cwd = root }) {
  console.log(`\n$ ${[path.basename(command), ...args].join(' ')}`)
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit']
    })
    child.on('error', (error) => {
      console.error(error.message)
      resolve(false)
    })
    child.on('close', (code) => resolve(code === 0))
  })
}

/** @param {Step[]} steps */
async function all(steps) {
  for (const step of steps) if (!(await run(step))) return false
  return true
}

async function main() {
  const args = process.argv.slice(2)
  const quick = args.includes('--quick')
  const named = args.filter((arg) => arg !== '--quick')
  if (named.some((name) => parts[name] === undefined)) {
    console.error(usage)
    process.exit(1)
  }
  setup()
  const summary = []
  let failed = false
  for (const [name, part] of Object.entries(parts)) {
    if (named.length > 0 ? !named.includes(name) : quick && !part.quick) continue
    console.log(`\n=== ${name}`)
    const steps = part.steps(quick)
    if (typeof steps === 'string') {
      summary.push(`skipped: ${steps} (${name})`)
      console.log(summary.at(-1))
      continue
    }
    const start = performance.now()
    const ok = await all(steps)
    failed ||= !ok
    summary.push(`${ok ? 'passed' : 'FAILED'}: ${name} (${((performance.now() - start) / 1000).toFixed(0)} s)`)
  }
  console.log(`\n=== summary\n${summary.join('\n')}`)
  process.exit(failed ? 1 : 0)
}

if (require.main === module) main()

module.exports = { parts }
