'use strict'

const fs = require('node:fs')
const test = require('ava')
const { startPrimary, request, until, gone } = require('./cluster/harness')
const { rspool, rspoolJson, startRspool } = require('./cluster/rspool')

const onLinux = process.platform === 'linux' ? test.serial : test.skip
const asRoot = process.platform === 'linux' && process.getuid() === 0 ? test.serial : test.skip
const NOBODY = 65_534

onLinux('ps lists the clusters of the user', async (t) => {
  const { primary } = await startPrimary(t, { options: { processes: 1 } })
  const { clusters } = await rspoolJson(['ps'])
  const found = clusters.find(({ pid }) => pid === primary.child.pid)
  t.like(found, { state: 'ready', size: 1, ready: 1, node: process.version, primary: { alive: true } })
  t.regex(found.file, /primary\.js$/)
  const { out } = await rspool(['ps'])
  t.regex(out, new RegExp(`${primary.child.pid} +ready +1/1`))
  t.false(out.includes('\u001b'), 'there are no colours where nobody looks')
})

onLinux('a cluster with maps is one cluster, and nothing else', async (t) => {
  const { primary, pids } = await startPrimary(t, { options: { processes: 1, maps: { cache: { bytes: '1MB' } } } })
  const { clusters, refused } = await rspoolJson(['ps'])
  const own = [primary.child.pid, ...(await pids())]
  t.deepEqual(
    clusters.filter(({ pid }) => own.includes(pid)).map(({ pid }) => pid),
    [primary.child.pid]
  )
  t.deepEqual(
    refused.filter(({ pid }) => own.includes(pid)),
    []
  )
})

onLinux('status tells what supervisor.status() tells', async (t) => {
  const { primary, port } = await startPrimary(t, { options: { processes: 2, counters: ['requests', 'jobs'] } })
  await request(port, '/count')
  const own = await primary.call('status')
  const seen = await rspoolJson(['status', '--pid', primary.child.pid])
  t.is(seen.state, own.state)
  t.deepEqual(seen.counters, own.counters)
  t.deepEqual(seen.budget, own.budget)
  t.deepEqual(
    seen.processes.map(({ slot, pid, generation, restarts, state }) => ({ slot, pid, generation, restarts, state })),
    own.processes.map(({ slot, pid, generation, restarts, state }) => ({ slot, pid, generation, restarts, state }))
  )
  for (const { rss, heapUsed, uptimeMs, beatAgeMs } of seen.processes) {
    t.true(rss > 2 ** 24 && heapUsed > 2 ** 20 && uptimeMs > 0 && beatAgeMs >= 0)
  }
})

onLinux('any process of a cluster names it', async (t) => {
  const { primary, pids } = await startPrimary(t, { options: { processes: 1 } })
  const [pid] = await pids()
  t.is((await rspoolJson(['status', '--pid', pid])).pid, primary.child.pid)
})

onLinux('a process that hangs is unresponsive, and so is a primary that hangs', async (t) => {
  const { primary, port } = await startPrimary(t, { options: { processes: 2, stallTimeout: 600_000 } })
  await request(port, '/block-later')
  const look = () => rspoolJson(['status', '--pid', primary.child.pid])
  await until(async () => (await look()).processes.some(({ state }) => state === 'unresponsive'))
  const { processes, state, ready } = await look()
  t.is(state, 'degraded')
  t.is(ready, 1)
  const silent = processes.find((each) => each.state === 'unresponsive')
  t.true(silent.beatAgeMs > 1000 && silent.loopDelayMs >= silent.beatAgeMs)
  process.kill(primary.child.pid, 'SIGSTOP')
  await until(async () => !(await look()).primary.responsive)
  t.regex((await rspool(['status', '--pid', primary.child.pid])).out, /the primary hangs: silent for/)
  process.kill(primary.child.pid, 'SIGCONT')
})

onLinux('why a process died is told as long as the cluster lives', async (t) => {
  const { primary, port } = await startPrimary(t, { options: { processes: 1 } })
  await request(port, '/exit').catch(() => {})
  await until(async () => (await primary.call('status')).processes[0].restarts === 1)
  await until(async () => (await rspoolJson(['status', '-p', primary.child.pid])).processes[0].state === 'ready')
  const { processes } = await rspoolJson(['status', '-p', primary.child.pid])
  t.like(processes[0], { restarts: 1, generation: 2, lastCause: 'exited with code 7' })
  t.regex((await rspool(['status', '-p', primary.child.pid])).out, /slot 0: the last to die exited with code 7/)
})

onLinux('metrics prints what the metrics of the cluster are', async (t) => {
  const { primary, port } = await startPrimary(t, {
    options: { processes: 2, counters: ['requests'], gauges: ['depth'], histograms: { took: [1, 2] } }
  })
  await request(port, '/count')
  const { out, code } = await rspool(['metrics', '--pid', primary.child.pid])
  t.is(code, 0)
  const own = await primary.call('metrics')
  const names = (text) => [...new Set(text.split('\n').map((line) => /^[a-z_]+/.exec(line)?.[0]))]
  t.deepEqual(names(out), names(own))
  const counted = (text) => text.split('\n').filter((line) => line.startsWith('requests_total'))
  t.deepEqual(counted(out), counted(own))
  const families = await rspoolJson(['metrics', '--pid', primary.child.pid])
  t.deepEqual(
    families.map(({ name, type }) => `# TYPE ${name} ${type}`),
    own.match(/^# TYPE .*/gm)
  )
  t.like(families.find(({ name }) => name === 'rspool_slot_state').samples[0], {
    name: 'rspool_slot_state',
    labels: { slot: 0, state: 'ready' },
    value: 1
  })
})

onLinux('top prints frames with rates, and a line of JSON for each on request', async (t) => {
  const { primary, port } = await startPrimary(t, { options: { processes: 1 } })
  const top = startRspool(t, ['top', '-p', primary.child.pid, '--interval', 0.1, '--json'])
  await until(() => top.out !== '')
  for (let n = 0; n < 20; n++) await request(port)
  await until(() => top.out.includes('"requests":20,'))
  top.child.kill()
  await top.ended
  const frames = top.out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
  t.true(frames.some(({ processes: [{ requestsPerSecond }] }) => requestsPerSecond > 0))
  t.true(frames.every(({ processes: [{ cpu }] }) => cpu >= 0))
  const { out } = await rspool(['top', '-p', primary.child.pid, '-n', 1, '--interval', 0.1])
  t.regex(out, /SLOT .*REQ\/S/)
})

onLinux('top ends when the cluster has ended', async (t) => {
  const { primary } = await startPrimary(t, { options: { processes: 1 } })
  const top = startRspool(t, ['top', '-p', primary.child.pid, '--interval', 0.1])
  await until(() => top.out !== '')
  primary.child.kill('SIGKILL')
  t.is((await top.ended).code, 69)
})

onLinux('of several clusters one has to be named, and they are listed', async (t) => {
  const [one, two] = await Promise.all([1, 2].map(() => startPrimary(t, { options: { processes: 1 } })))
  const { code, err } = await rspool(['status'])
  t.is(code, 64)
  for (const { primary } of [one, two]) t.true(err.includes(`--pid ${primary.child.pid}  `))
})

onLinux('who is no cluster is told apart from who has ended', async (t) => {
  const here = await rspool(['status', '--pid', process.pid])
  t.is(here.code, 69)
  t.regex(here.err, /process \d+ belongs to no cluster of rspool/)
  const { primary } = await startPrimary(t, { options: { processes: 1 } })
  primary.child.kill('SIGKILL')
  await gone(primary.child.pid)
  await primary.exited
  const ended = await rspool(['status', '--pid', primary.child.pid])
  t.is(ended.code, 69)
  t.regex(ended.err, /there is no process \d+/)
})

asRoot('the cluster of another user is not shown', async (t) => {
  const { primary } = await startPrimary(t, { options: { processes: 1 } })
  const named = await rspool(['status', '--pid', primary.child.pid], { uid: NOBODY })
  t.is(named.code, 77, named.err)
  t.regex(named.err, /belongs to another user/)
  const none = await rspool(['status'], { uid: NOBODY })
  t.is(none.code, 69, none.err)
  t.regex(none.err, /you run no cluster/)
})

asRoot('a cluster in another pid namespace is listed, and it is said how it is looked at', async (t) => {
  const command = ['unshare', ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath]]
  const { primary } = await startPrimary(t, { options: { processes: 1 }, command })
  // The child is `unshare`, and its child is the primary.
  const { clusters } = await rspoolJson(['ps'])
  const children = fs.readFileSync(`/proc/${primary.child.pid}/task/${primary.child.pid}/children`, 'utf8')
  const pid = Number(children)
  t.true(clusters.some((cluster) => cluster.pid === pid && cluster.state === 'ready'))
  const { code, err } = await rspool(['status', '-p', pid])
  t.is(code, 77)
  t.regex(err, new RegExp(`another pid namespace, where it is 1\\. .*nsenter -t ${pid} -a`))
})

onLinux('looking while processes are killed and reloaded never fails', async (t) => {
  const { primary, pids } = await startPrimary(t, {
    options: { processes: 3, maxProcesses: 4, backoff: { initial: 0 } }
  })
  const top = startRspool(t, ['top', '-p', primary.child.pid, '--interval', 0.1, '--json', '-n', 30])
  let ended = false
  top.ended.then(() => {
    ended = true
  })
  for (let n = 0; n < 12 && !ended; n++) {
    const [pid] = await pids()
    if (pid !== undefined && n % 2 === 0) process.kill(pid, 'SIGKILL')
    await primary.call('reload').catch(() => {})
  }
  t.is((await top.ended).code, 0, top.err)
  for (const line of top.out.trim().split('\n')) t.true(JSON.parse(line).processes.length <= 4)
})
