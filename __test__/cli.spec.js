'use strict'

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const { version, bin } = require('../package.json')
const { rspool, rspoolJson, MAIN } = require('./cluster/rspool')

const COMMANDS = fs
  .readdirSync(path.join(__dirname, '..', 'lib', 'cli', 'commands'))
  .map((file) => file.replace(/\.js$/, ''))

test('the package has one bin, and it is this', (t) => {
  t.deepEqual(bin, { rspool: 'lib/cli/main.js' })
  t.is(path.join(__dirname, '..', bin.rspool), MAIN)
  t.regex(fs.readFileSync(MAIN, 'utf8'), /^#!\/usr\/bin\/env node\n/)
})

test('without a command it tells what there is, and compiles nothing', async (t) => {
  const all = await rspool(['--help'], { env: { PATH: '/nowhere' } })
  t.is(all.code, 0)
  t.is(all.err, '')
  for (const name of COMMANDS) t.regex(all.out, new RegExp(`^  ${name}\\b.+  [a-z].*[^.]$`, 'm'))
  const none = await rspool([])
  t.is(none.code, 64)
  t.is(none.out, all.out)
  t.is((await rspool(['--version'])).out.trim(), version)
})

for (const name of COMMANDS) {
  test(`${name} --help tells how it is used, whatever is installed`, async (t) => {
    const { code, out, err } = await rspool([name, '--help'], {
      env: { RSPOOL_NATIVE_PATH: '/nowhere.node', PATH: '/nowhere' }
    })
    t.is(code, 0)
    t.is(err, '')
    t.true(out.startsWith(`Usage: npx rspool ${name}`))
    t.is((await rspool(['help', name])).out, out)
  })
}

test('an unknown command is told, with the nearest', async (t) => {
  const { code, err, out } = await rspool(['stak', '0'])
  t.is(code, 64)
  t.is(out, '')
  t.regex(err, /there is no command 'stak'\. Did you mean 'stack'\?/)
})

test('wrong arguments end with 64 and name the help', async (t) => {
  for (const args of [
    ['ps', '--frobnicate'],
    ['status', '--pid', 'x'],
    ['stack'],
    ['stack', '1.5'],
    ['stack', '0', '1'],
    ['scale', '-p', '1', 'many'],
    ['top', '--interval=-1'],
    ['ps', '--', 'x'],
    ['doctor', 'x']
  ]) {
    const { code, err, out } = await rspool(args)
    t.is(code, 64, args.join(' '))
    t.is(out, '')
    t.regex(err, new RegExp(`^rspool: ${args[0]}: .*npx rspool ${args[0]} --help\\n$`))
  }
})

test('doctor examines the machine, and says what it found', async (t) => {
  const findings = await rspoolJson(['doctor'])
  const of = (what) => findings.find((finding) => finding.what === what)
  t.regex(of('addon').found, /rspool \d.*\.node$/)
  t.regex(of('CPUs').found, new RegExp(`cpuCount\\(\\) is ${require('..').cpuCount()}: `))
  t.true(of('runtime').found.includes(process.versions.node))
  t.true(findings.every(({ verdict }) => ['fine', 'note'].includes(verdict)))
  const { out } = await rspool(['doctor'])
  t.is(out.split('\n').filter((line) => /^(fine|note|wrong)/.test(line)).length, findings.length)
})

test('doctor ends with 1 where the addon cannot be loaded, and says what to do', async (t) => {
  const { code, out } = await rspool(['doctor'], { env: { RSPOOL_NATIVE_PATH: '/nowhere.node' } })
  t.is(code, 1)
  t.regex(out, /^wrong +addon +.*found no addon that it can load/m)
  t.regex(out, /RSPOOL_NATIVE_PATH is set, so nothing else was tried/)
})

test('doctor notes what a server will miss', async (t) => {
  if (process.platform === 'win32') return t.pass()
  const limited = (script) =>
    new Promise((resolve) =>
      execFile('/bin/sh', ['-c', script, process.execPath, MAIN], (_, out) => resolve(JSON.parse(out)))
    )
  const findings = await limited('ulimit -n 256; "$0" "$1" doctor --json')
  if (process.platform !== 'linux') return t.pass()
  t.like(
    findings.find(({ what }) => what === 'descriptors'),
    { verdict: 'note', found: 'at most 256 a process' }
  )
  const inspected = JSON.parse((await rspool(['doctor', '--json'], { env: { NODE_OPTIONS: '--inspect=0' } })).out)
  t.like(
    inspected.find(({ what }) => what === 'inspector'),
    { verdict: 'note', found: '--inspect=0 is set' }
  )
})

test('a reader that has seen enough is no fault', async (t) => {
  if (process.platform === 'win32') return t.pass()
  const ended = await new Promise((resolve) =>
    execFile('/bin/sh', ['-c', '"$0" "$1" --help | head -c 1; echo', process.execPath, MAIN], (error, out, err) =>
      resolve({ error, out, err })
    )
  )
  t.deepEqual(ended, { error: null, out: 'U\n', err: '' })
})
