'use strict'

const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const test = require('ava')
const { startPrimary, request, startLoad, until } = require('./cluster/harness')
const { rspool, rspoolJson } = require('./cluster/rspool')

const onLinux = process.platform === 'linux' ? test.serial : test.skip
const asRoot = process.platform === 'linux' && process.getuid() === 0 ? test.serial : test.skip
const NOBODY = 65_534

/** A folder for the socket, which a primary with `admin: true` uses. */
function socketFolder(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-run-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

for (const [by, options] of [
  ['signal', {}],
  ['socket', { admin: true }]
]) {
  const start = async (t, more = {}) => {
    const env = { RUNTIME_DIRECTORY: '', XDG_RUNTIME_DIR: socketFolder(t) }
    const started = await startPrimary(t, { options: { processes: 2, ...options, ...more }, env })
    return { ...started, pid: started.primary.child.pid }
  }

  onLinux(`scale by ${by} makes as many processes as it says, whatever the way there`, async (t) => {
    const { primary, pid } = await start(t)
    for (const size of [5, 1, 3]) {
      const told = await rspoolJson(['scale', size, '-p', pid])
      t.like(told, { by, size })
      t.is((await primary.call('processes')).length, size)
    }
    const { code, err } = await rspool(['scale', 0, '-p', pid])
    t.is(code, 64)
    t.regex(err, /from 1 to 'maxProcesses' \(64\), got 0/)
  })

  onLinux(`reload by ${by} puts new processes in place and fails no request`, async (t) => {
    const { primary, pid, port, pids } = await start(t)
    const before = await pids()
    const load = startLoad(port, { clients: 4 })
    const told = await rspoolJson(['reload', '-p', pid])
    const { failures } = await load.stop()
    t.deepEqual(failures, [])
    t.is(told.by, by)
    const now = await pids()
    t.deepEqual(
      told.processes.map(({ pid }) => pid),
      now
    )
    t.false(now.some((each) => before.includes(each)))
    t.is((await primary.call('status')).state, 'ready')
  })

  onLinux(`a reload by ${by} that fails is told, and the old processes serve on`, async (t) => {
    const file = path.join(socketFolder(t), 'app.js')
    fs.writeFileSync(file, "require('node:http').createServer((_, r) => r.end('ok')).listen(process.env.APP_PORT)")
    const env = { RUNTIME_DIRECTORY: '', XDG_RUNTIME_DIR: socketFolder(t) }
    const { primary, port, pids } = await startPrimary(t, { file, options: { processes: 2, ...options }, env })
    const before = await pids()
    fs.writeFileSync(file, "throw new Error('a new version that is broken')")
    const { code, err } = await rspool(['reload', '-p', primary.child.pid])
    t.is(code, 1)
    t.regex(err, by === 'signal' ? /the reload failed and the old processes serve on/ : /a new version that is broken/)
    t.deepEqual(await pids(), before)
    t.is((await request(port)).body, 'ok')
  })

  onLinux(`restart by ${by} replaces one process`, async (t) => {
    const { pid, pids } = await start(t)
    const [first, second] = await pids()
    const told = await rspoolJson(['restart', 1, '-p', pid])
    t.like(told, { by, slot: 1, before: second })
    t.deepEqual(await pids(), [first, told.pid])
    t.not(told.pid, second)
  })

  onLinux(`stop by ${by} drains and ends the cluster`, async (t) => {
    const { primary, pid, port } = await start(t)
    const slow = request(port, '/slow')
    await until(async () => (await rspoolJson(['status', '-p', pid])).processes.some(({ requests }) => requests > 0))
    t.like(await rspoolJson(['stop', '-p', pid]), { by, pid })
    t.is((await slow).body, 'slow')
    t.deepEqual(await primary.exited, { code: 0, signal: null })
  })
}

onLinux('a process that hangs is not asked to drain: it is killed, if that is wanted', async (t) => {
  const { primary, port } = await startPrimary(t, { options: { processes: 1, stallTimeout: 600_000 } })
  const { pid } = primary.child
  await request(port, '/block-later')
  await until(async () => (await rspoolJson(['status', '-p', pid])).processes[0].state === 'unresponsive')
  const refused = await rspool(['restart', 0, '-p', pid])
  t.is(refused.code, 1)
  t.regex(refused.err, /hangs .*npx rspool stack 0\. Or kill it: --force/)
  const { before, pid: now } = await rspoolJson(['restart', 0, '--force', '-p', pid])
  t.not(now, before)
  t.is((await request(port)).status, 200)
})

onLinux('a cluster that listens to no signals is sent none', async (t) => {
  const { primary } = await startPrimary(t, { options: { processes: 1, signals: false } })
  for (const command of [['reload'], ['scale', 2], ['stop']]) {
    const { code, err } = await rspool([...command, '-p', primary.child.pid])
    t.is(code, 1)
    t.regex(err, /listens to no signals .* admin: true/)
  }
  t.is((await primary.call('status')).state, 'ready')
})

onLinux('the admin socket is the user’s alone, and goes with the cluster', async (t) => {
  const folder = socketFolder(t)
  const { primary } = await startPrimary(t, {
    options: { processes: 1, admin: true },
    env: { RUNTIME_DIRECTORY: '', XDG_RUNTIME_DIR: folder }
  })
  const socket = path.join(folder, 'rspool', `${primary.child.pid}.sock`)
  t.is(fs.statSync(socket).mode & 0o777, 0o600)
  t.is(fs.statSync(path.dirname(socket)).mode & 0o777, 0o700)
  primary.child.kill('SIGTERM')
  await primary.exited
  t.false(fs.existsSync(socket))
})

onLinux('without the option there is no socket', async (t) => {
  const folder = socketFolder(t)
  await startPrimary(t, { options: { processes: 1 }, env: { RUNTIME_DIRECTORY: folder, XDG_RUNTIME_DIR: folder } })
  t.deepEqual(fs.readdirSync(folder), [])
})

asRoot('the admin socket hears no other user, even where its file would let him', async (t) => {
  const folder = socketFolder(t)
  fs.chmodSync(folder, 0o755)
  const socket = path.join(folder, 'admin.sock')
  const { primary, pids } = await startPrimary(t, { options: { processes: 1, admin: socket } })
  fs.chmodSync(socket, 0o777)
  const before = await pids()
  const code = `const s = require('net').connect(${JSON.stringify(socket)}); s.end('{"command":"reload"}\\n'); s.pipe(process.stdout)`
  const { execFile } = require('node:child_process')
  const answer = await new Promise((resolve) =>
    execFile(process.execPath, ['-e', code], { uid: NOBODY, gid: NOBODY }, (_, out) => resolve(JSON.parse(out)))
  )
  t.like(answer, { ok: false, denied: true })
  t.deepEqual(await pids(), before)
  t.is((await primary.call('status')).state, 'ready')
})

onLinux('what is no request harms nobody', async (t) => {
  const socket = path.join(socketFolder(t), 'admin.sock')
  const { primary } = await startPrimary(t, { options: { processes: 1, admin: socket } })
  const send = (text) =>
    new Promise((resolve) => {
      let answer = ''
      const client = net.connect({ path: socket })
      client.setEncoding('utf8').on('data', (chunk) => {
        answer += chunk
      })
      client.on('error', () => {})
      client.on('close', () => resolve(answer))
      client.write(text)
    })
  t.like(JSON.parse(await send('nonsense\n')), { ok: false })
  t.like(JSON.parse(await send('null\n')), { ok: false, message: 'there is no command undefined' })
  t.like(JSON.parse(await send('{"command":"constructor"}\n')), { ok: false })
  t.like(JSON.parse(await send('{"command":"scale","size":-1}\n')), { ok: false, code: 'ERR_RSPOOL_INVALID_ARGUMENT' })
  t.is(await send('x'.repeat(70_000)), '', 'a line that is too long ends the connection')
  t.is((await primary.call('status')).state, 'ready')
})

onLinux('a socket that cannot be opened is a line in the log; one that nobody answers on is replaced', async (t) => {
  const folder = socketFolder(t)
  const taken = path.join(folder, 'taken.sock')
  const server = net.createServer().listen(taken)
  t.teardown(() => server.close())
  const { primary } = await startPrimary(t, { options: { processes: 1, admin: taken } })
  await until(() => /admin socket: .*taken\.sock is in use/.test(primary.output))
  t.like(await rspoolJson(['scale', 2, '-p', primary.child.pid]), { by: 'signal', size: 2 })

  const stale = path.join(folder, 'stale.sock')
  const { execFileSync } = require('node:child_process')
  const dies = `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`
  t.throws(() => execFileSync(process.execPath, ['-e', dies], { stdio: 'ignore' }))
  t.true(fs.existsSync(stale))
  const fresh = await startPrimary(t, { options: { processes: 1, admin: stale } })
  t.like(await rspoolJson(['scale', 2, '-p', fresh.primary.child.pid]), { by: 'socket' })
})
