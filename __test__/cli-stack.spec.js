'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const test = require('ava')
const { startPrimary, request, until } = require('./cluster/harness')
const { rspool, rspoolJson } = require('./cluster/rspool')

const onLinux = process.platform === 'linux' ? test.serial : test.skip

/** A cluster of two, of which one is in an endless loop; nobody ends it. */
async function hung(t, how = '/block-later') {
  const { primary, port } = await startPrimary(t, { options: { processes: 2, stallTimeout: 600_000 } })
  await request(port, how)
  const pid = primary.child.pid
  let slot
  await until(async () => {
    const { processes } = await rspoolJson(['status', '-p', pid])
    slot = processes.find(({ state }) => state === 'unresponsive')?.slot
    return slot !== undefined
  })
  return { primary, pid, slot, other: 1 - slot }
}

function folder(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'rspool-cli-'))
  t.teardown(() => fs.rmSync(made, { recursive: true, force: true }))
  return made
}

const modeOf = (file) => fs.statSync(file).mode & 0o777

onLinux(
  'the stack of a process that hangs can be asked for again and again, also while the primary hangs',
  async (t) => {
    const { pid, slot, other } = await hung(t)
    process.kill(pid, 'SIGSTOP')
    t.teardown(() => process.kill(pid, 'SIGCONT'))
    for (let turn = 0; turn < 5; turn++) {
      const { code, out, err } = await rspool(['stack', slot, '-p', pid])
      t.is(code, 0, err)
      t.regex(out, /unresponsive, its event loop has not turned for/)
      t.regex(out, /at spinForEver \(.*app\.js:\d+:\d+\)/)
    }
    // Now and then the loop of an idle process is met in a timer of the cluster helper.
    await until(async () => {
      const { stack, state } = await rspoolJson(['stack', other, '-p', pid])
      t.is(state, 'ready')
      return /idle: the event loop waits/.test(stack)
    })
  }
)

onLinux('those who ask at the same time are all answered', async (t) => {
  const { pid, slot } = await hung(t)
  const answers = await Promise.all(Array.from({ length: 6 }, () => rspoolJson(['stack', slot, '-p', pid])))
  for (const { stack } of answers) t.regex(stack, /spinForEver/)
})

onLinux(
  'the stack of a stopped process, of a native call and of no process is not there, and it is said why',
  async (t) => {
    const { primary, port, pids } = await startPrimary(t, { options: { processes: 1, stallTimeout: 600_000 } })
    const [pid] = await pids()
    process.kill(pid, 'SIGSTOP')
    const stopped = await rspool(['stack', 0, '-p', primary.child.pid])
    process.kill(pid, 'SIGCONT')
    t.is(stopped.code, 1)
    t.regex(stopped.err, /is stopped; continue it: kill -CONT/)
    request(port, '/native').catch(() => {})
    await until(async () => {
      const { code, err } = await rspool(['stack', 0, '-p', primary.child.pid])
      return code === 1 && /the main thread is in a native call/.test(err)
    })
    const none = await rspool(['stack', 7, '-p', primary.child.pid])
    t.is(none.code, 69)
    t.regex(none.err, /there is no slot 7 \(there are: 0\)/)
  }
)

onLinux('a CPU profile shows where a process hangs, in a file of the user alone', async (t) => {
  const { pid, slot } = await hung(t, '/work-later')
  const dir = folder(t)
  const profile = async () => {
    const { file, seconds } = await rspoolJson(['cpu-profile', slot, '-s', 0.5, '--dir', dir, '-p', pid])
    t.is(seconds, 0.5)
    t.is(modeOf(file), 0o600)
    const { nodes, samples } = JSON.parse(fs.readFileSync(file, 'utf8'))
    t.true(samples.length > 0)
    return nodes.map(({ callFrame }) => callFrame.functionName)
  }
  // On a busy machine the process may not have its turn in so short a time.
  while (!(await profile()).includes('workForEver'));
})

onLinux('a stack can be read while a profile is taken, and a second profile is refused', async (t) => {
  const { pid, slot } = await hung(t)
  const { pick } = require('../lib/cli/clusters')
  const { Viewer } = require('../lib/cli/view')
  const { processOf, ask } = require('../lib/cli/helper-thread')
  const { ASK } = require('../lib/native/wire')
  const cluster = pick(pid)
  const process = processOf(new Viewer(cluster), slot)
  await ask(cluster, process, { kind: ASK.START_PROFILE, argument: 60, timeout: 20_000 })
  t.regex((await rspoolJson(['stack', slot, '-p', pid])).stack, /spinForEver/)
  const second = await rspool(['cpu-profile', slot, '-p', pid])
  t.is(second.code, 1)
  t.regex(second.err, /a CPU profile of this process is being taken already/)
  const file = await ask(cluster, process, { kind: ASK.STOP_PROFILE, timeout: 20_000 })
  t.true(JSON.parse(fs.readFileSync(file, 'utf8')).samples.length > 0)
  fs.rmSync(file)
})

onLinux('a heap snapshot comes in a file of the user alone', async (t) => {
  const { primary } = await startPrimary(t, { options: { processes: 1 } })
  const { file, heapUsed } = await rspoolJson(['heap-snapshot', 0, '--dir', folder(t), '-p', primary.child.pid])
  t.true(heapUsed > 0)
  t.is(modeOf(file), 0o600)
  t.true(JSON.parse(fs.readFileSync(file, 'utf8')).snapshot.node_count > 1000)
  t.deepEqual(
    fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith(`rspool-${primary.pids[0]}-`)),
    [],
    'nothing is left where the process wrote it'
  )
})

onLinux('above 1 GiB of heap nobody is stopped for a snapshot without being asked', async (t) => {
  const { primary, port } = await startPrimary(t, { options: { processes: 1 } })
  const { SEAT } = require('../lib/native/wire')
  const { SharedRegion } = require('../lib/cluster/region')
  const { pick, openForRequests } = require('../lib/cli/clusters')
  const { Viewer } = require('../lib/cli/view')
  const cluster = pick(primary.child.pid)
  // What the process says of its heap is what counts; it says so four times a second.
  const region = openForRequests(cluster)
  t.true(region instanceof SharedRegion)
  const { seat, pid } = new Viewer(cluster).look().processes[0]
  await request(port)
  process.kill(pid, 'SIGSTOP')
  t.teardown(() => process.kill(pid, 'SIGCONT'))
  region.set(seat, SEAT.HEAP_USED, 2 ** 30 + 1)
  const { code, err } = await rspool(['heap-snapshot', 0, '-p', primary.child.pid])
  t.is(code, 1)
  t.regex(err, /no snapshot was taken; --yes goes on without asking/)
})
