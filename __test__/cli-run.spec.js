'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const test = require('ava')
const { freePort, request, until } = require('./cluster/harness')
const { rspool, rspoolJson, startRspool } = require('./cluster/rspool')

const onUnix = process.platform === 'win32' ? test.skip : test.serial
const onLinux = process.platform === 'linux' ? test.serial : test.skip

const SERVER = `require('node:http').createServer(({ url }, response) => {
  if (url === '/die') {
    console.log('goodbye')
    process.exit(1)
  }
  const { pid, env } = process
  response.end(JSON.stringify({
    pid, args: process.argv.slice(2), slot: env.RSPOOL_SLOT, instance: env.NODE_APP_INSTANCE, mode: env.MODE,
    node: process.execArgv.includes('--no-deprecation'), cwd: process.cwd()
  }))
}).listen(process.env.APP_PORT)`

async function folder(t, files = {}) {
  const made = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-run-')))
  t.teardown(() => fs.rmSync(made, { recursive: true, force: true }))
  for (const [name, text] of Object.entries({ 'server.js': SERVER, ...files }))
    fs.writeFileSync(path.join(made, name), text)
  return { cwd: made, port: await freePort() }
}

/** Runs until the test ends. */
async function run(t, args, { cwd, port }) {
  const started = startRspool(t, ['run', ...args], { cwd, env: { APP_PORT: String(port) } })
  await until(() => request(port).catch(() => started.child.exitCode !== null))
  return started
}

const get = async (port) => JSON.parse((await request(port)).body)

onUnix('run starts a file as a cluster, with the arguments after --, and ends with its exit code', async (t) => {
  const at = await folder(t)
  const started = await run(t, ['server.js', '-i', 2, '--node-arg=--no-deprecation', '--', '--flag', 'word'], at)
  t.like(await get(at.port), { args: ['--flag', 'word'], node: true, cwd: at.cwd })
  const slots = new Set()
  await until(async () => slots.add((await get(at.port)).slot).size === 2)
  started.child.kill('SIGTERM')
  t.deepEqual(await started.ended, { code: 0, signal: null })
})

onLinux('what run started is a cluster like any other', async (t) => {
  const at = await folder(t)
  const { child, ended } = await run(t, ['server.js', '-i', 1, '--admin'], at)
  t.like(await rspoolJson(['scale', 2, '-p', child.pid]), { by: 'socket', size: 2 })
  t.like(await rspoolJson(['stop', '-p', child.pid]), { by: 'socket' })
  t.is((await ended).code, 0)
})

onUnix('run goes on when the reader of what it writes has gone', async (t) => {
  const at = await folder(t)
  const { child, ended } = await run(t, ['server.js', '-i', 1, '--output', 'prefix'], at)
  child.stdout.destroy()
  child.stderr.destroy()
  // Each says goodbye through the primary, and the second follows on the first.
  const before = await get(at.port)
  for (let round = 0; round < 2; round++) await request(at.port, '/die').catch(() => {})
  await until(async () => (await get(at.port)).pid !== before.pid)
  child.kill('SIGTERM')
  t.deepEqual(await ended, { code: 0, signal: null })
})

onUnix('a file that cannot boot ends run with 3, and says why', async (t) => {
  const at = await folder(t, { 'broken.js': "throw new Error('broken on purpose')" })
  const { code, err } = await rspool(['run', 'broken.js', '-i', 1], { cwd: at.cwd })
  t.is(code, 3)
  t.regex(err, /broken on purpose/)
})

onUnix('the first application of a PM2 file is run, with the environment that is named', async (t) => {
  const application = {
    name: 'shop',
    script: './server.js',
    exec_mode: 'cluster',
    instances: 2,
    args: '--from file',
    node_args: '--no-deprecation',
    env: { MODE: 'development' },
    env_production: { MODE: 'production' },
    kill_timeout: '3s',
    max_memory_restart: '300M',
    wait_ready: true,
    watch: false
  }
  const text = `module.exports = { apps: [${JSON.stringify(application)}, { name: 'other', script: 'other.js' }] }`
  const at = await folder(t, { 'ecosystem.config.js': text })
  const started = await run(t, ['--ecosystem', 'ecosystem.config.js', '--env', 'production'], at)
  const told = await get(at.port)
  t.like(told, { args: ['--from', 'file'], mode: 'production', node: true, cwd: at.cwd })
  t.is(told.instance, told.slot)
  t.regex(started.err, /'other' of the file is not run: a supervisor has one application/)
})

onUnix('what of a PM2 file cannot be done is refused by name', async (t) => {
  const application = {
    script: './server.js',
    instances: 4,
    exec_mode: 'fork',
    watch: true,
    cron_restart: '0 0 * * *',
    out_file: 'out.log',
    interpreter: 'python3',
    autorestart: false
  }
  const at = await folder(t, { 'ecosystem.config.js': `module.exports = { apps: [${JSON.stringify(application)}] }` })
  const { code, err } = await rspool(['run', '--ecosystem', 'ecosystem.config.js'], { cwd: at.cwd })
  t.is(code, 1)
  for (const name of ['exec_mode', 'watch', 'cron_restart', 'out_file', 'interpreter', 'autorestart'])
    t.regex(err, new RegExp(`^  ${name}: `, 'm'))
  t.notRegex(err, /script|instances:/)
})

test('numbers of a PM2 file become options', (t) => {
  const { convert } = require('../lib/cli/ecosystem')
  const { cpuCount } = require('..')
  const options = (more) => convert({ script: 'a.js', ...more }, '/srv').options
  t.is(options({ instances: 'max' }).processes, 'auto')
  t.is(options({ instances: 0 }).processes, 'auto')
  t.is(options({ instances: '3' }).processes, 3)
  t.is(options({ instances: -1 }).processes, Math.max(1, cpuCount() - 1))
  t.is(options({ kill_timeout: 1600 }).grace, 1600)
  t.is(options({ listen_timeout: '2m' }).readyTimeout, 120_000)
  t.is(options({ max_memory_restart: '1.5G' }).memoryLimit, 1.5 * 2 ** 30)
  t.deepEqual(options({ env: { A: 1, B: { c: 2 } } }).env(3), { A: '1', B: '{"c":2}', NODE_APP_INSTANCE: '3' })
  t.deepEqual(options({ instance_var: 'MINE' }).env(0), { MINE: '0' })
  t.throws(() => options({ max_memory_restart: 'much' }), { message: /max_memory_restart: "much" is no size/ })
  t.is(convert({ script: 'a.js', cwd: '/app' }, '/srv').file, path.resolve('/app/a.js'))
})

test('wrong use of run is told', async (t) => {
  for (const args of [
    [],
    ['a.js', '--ecosystem', 'b.js'],
    ['a.js', '--env', 'x'],
    ['a.js', 'b.js'],
    ['a.js', '--no-such']
  ]) {
    const { code, err } = await rspool(['run', ...args])
    t.is(code, 64, args.join(' '))
    t.regex(err, /npx rspool run --help|--env is for/)
  }
  const { code, err } = await rspool(['run', 'no-such-file.js'])
  t.is(code, 1)
  t.regex(err, /no-such-file\.js/)
  t.notRegex(err, /^ +at /m)
})
