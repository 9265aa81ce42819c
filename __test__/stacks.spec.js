'use strict'

// What each worker does, by its JavaScript stack: also where it hangs.

const fs = require('node:fs')
const path = require('node:path')
const test = require('ava')
const { directory, failure, makePool, program, taskPool } = require('./helpers')

/** Looks until it is as expected; the test's time limit ends it otherwise. */
async function until(look) {
  for (;;) {
    const value = await look()
    if (value) return value
    await new Promise(setImmediate)
  }
}

/** Says by a gate that it is there, and hangs in one way or another. */
const HANGS = {
  loop(gate) {
    Atomics.add(gate, 0, 1)
    Atomics.notify(gate, 0)
    for (;;);
  },
  expression(gate) {
    Atomics.add(gate, 0, 1)
    Atomics.notify(gate, 0)
    return /^(a+)+$/.test(`${'a'.repeat(60)}b`)
  },
  sort(gate) {
    const values = Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 100_003)
    Atomics.add(gate, 0, 1)
    Atomics.notify(gate, 0)
    for (;;) values.slice().sort((a, b) => a - b)
  },
  wait(gate) {
    Atomics.add(gate, 0, 1)
    Atomics.notify(gate, 0)
    Atomics.wait(gate, 1, 0)
  }
}

for (const [name, hangs] of Object.entries(HANGS))
  test(`the stack of a worker is told that hangs: ${name}`, async (t) => {
    const { pool, gate } = taskPool(t, { maxThreads: 1, abortGrace: 0 })
    const hanging = pool.runTask(hangs, [gate.cells])
    await gate.arrival()
    for (let i = 0; i < 3; i++) {
      const [worker] = await until(async () => {
        const stacks = await pool.stacks()
        return stacks[0].stack !== null && stacks
      })
      t.deepEqual(Object.keys(worker), ['id', 'lane', 'tasks', 'stack'])
      t.like(worker, { id: 0, lane: 'script', tasks: [{ task: '(inline)', progress: null }] })
      t.regex(worker.stack, new RegExp(`^( {4}at .*\\n)*? {4}at ${name} \\(\\S*inline\\S*:\\d+:\\d+\\)\\n`))
    }
    await pool.destroy()
    await failure(hanging)
    t.deepEqual(await pool.stacks(), [])
  })

test('every worker is told: what waits has an empty stack, a native task its name and how far it is', async (t) => {
  const { pool, gate } = taskPool(t, { minThreads: 2, maxThreads: 3, abortGrace: 0 })
  await pool.ready()
  const tasks = [pool.runTask('never'), pool.runTask('math.countPrimes', 4_000_000_000, { timeout: 20_000 })]
  await gate.arrival()
  const stacks = await until(async () => {
    const stacks = await pool.stacks()
    const isAtRest = stacks.every(({ stack }) => stack === null || stack === '')
    return isAtRest && stacks.some(({ tasks }) => tasks[0]?.progress?.rows > 0) && stacks
  })
  const script = stacks.filter(({ lane }) => lane === 'script')
  // A third may be starting.
  t.deepEqual(
    script.slice(0, 2).map(({ stack }) => stack),
    ['', '']
  )
  t.deepEqual(
    script.flatMap(({ tasks }) => tasks.map(({ task }) => task)),
    ['never']
  )
  const native = stacks.find(({ lane }) => lane === 'native')
  t.is(native.stack, null)
  t.like(native.tasks[0], { task: 'math.countPrimes', progress: { bytes: 0 } })
  await pool.destroy()
  await Promise.all(tasks.map(failure))
})

test('a worker in a call of the system has no stack, and goes on after it', async (t) => {
  const dir = directory(t, {})
  const pool = makePool(t, { maxThreads: 1 })
  const flags = { there: path.join(dir, 'there'), go: path.join(dir, 'go') }
  const waits =
    "const { existsSync, writeFileSync } = require('node:fs'); writeFileSync(process.argv[1], ''); setInterval(() => existsSync(process.argv[2]) && process.exit(7), 5)"
  const calls = ({ there, go }, source) =>
    require('node:child_process').spawnSync(process.execPath, ['-e', source, there, go]).status
  const calling = pool.runTask(calls, [flags, waits])
  await until(() => fs.existsSync(flags.there))
  const [{ tasks, stack }] = await pool.stacks()
  t.is(tasks.length, 1)
  t.is(stack, null)
  fs.writeFileSync(flags.go, '')
  t.is(await calling, 7)
  t.is(await pool.runTask((a) => a, [1]), 1)
})

test('the stacks of a pool in a worker are told, also while the main thread is busy', async (t) => {
  const { stdout } = await program(`
    const { Worker } = require('node:worker_threads')
    const source = \`
      const { parentPort, workerData } = require('node:worker_threads')
      const { Pool } = require(workerData.rspool)
      const pool = new Pool({ maxThreads: 1, abortGrace: 0 })
      pool.runTask(function hangs(cells) { Atomics.add(cells, 0, 1); for (;;); }, [workerData.cells]).catch(() => {})
      const look = async () => {
        const [worker] = await pool.stacks()
        if (!worker?.stack?.includes('at hangs')) return look()
        Atomics.store(workerData.cells, 1, 1)
        parentPort.postMessage(worker.stack.split('\\\\n')[0])
        await pool.destroy()
      }
      look()
    \`
    const cells = new Int32Array(new SharedArrayBuffer(8))
    const worker = new Worker(source, { eval: true, workerData: { cells, rspool: require.resolve(${JSON.stringify(path.join(__dirname, '..'))}) } })
    worker.on('message', console.log)
    const wait = () => {
      if (Atomics.load(cells, 0) === 0) return setImmediate(wait)
      function busy() { while (Atomics.load(cells, 1) === 0); }
      busy()
    }
    wait()`)
  t.regex(stdout, /^ {4}at hangs \(/)
})

test('a debugger of the user is told of nothing, and what it has stopped stays so', async (t) => {
  const { stdout } = await program(`
    const { once } = require('node:events')
    const { Worker } = require('node:worker_threads')
    const source = \`
      const { Session } = require('node:inspector')
      const { parentPort } = require('node:worker_threads')
      const session = new Session()
      session.connectToMainThread()
      let worker
      const send = (id, method, params) =>
        session.post('NodeWorker.sendMessageToWorker', { sessionId: worker, message: JSON.stringify({ id, method, params }) })
      session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
        if (!workerInfo.title.includes('debugged')) return
        worker = sessionId
        send(0, 'Debugger.enable')
        send(1, 'Debugger.setPauseOnExceptions', { state: 'all' })
      })
      session.on('NodeWorker.receivedMessageFromWorker', ({ params: { message } }) => {
        const { id, method } = JSON.parse(message)
        if (id === 1) parentPort.postMessage('attached')
        if (method === 'Debugger.paused' || method === 'Debugger.resumed') parentPort.postMessage(method)
      })
      session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
      parentPort.on('message', (command) => (command === 'end' ? process.exit() : send(2, command)))
    \`
    const cells = new Int32Array(new SharedArrayBuffer(4))
    const pool = new rspool.Pool({ label: 'debugged', maxThreads: 1, abortGrace: 0 })
    const hanging = pool.runTask(function hangs(cells) { Atomics.add(cells, 0, 1); for (;;); }, [cells]).catch(() => {})
    const stack = async () => console.log((await pool.stacks())[0].stack.includes('at hangs'))
    const run = async () => {
      while (Atomics.load(cells, 0) === 0) await new Promise(setImmediate)
      const debug = new Worker(source, { eval: true })
      debug.on('message', console.log)
      await once(debug, 'message')
      for (let i = 0; i < 3; i++) await stack()
      debug.postMessage('Debugger.pause')
      await once(debug, 'message')
      for (let i = 0; i < 3; i++) await stack()
      debug.postMessage('Debugger.resume')
      await once(debug, 'message')
      await stack()
      debug.postMessage('end')
      await once(debug, 'exit')
      await pool.destroy()
    }
    run()`)
  t.deepEqual(stdout.trim().split('\n'), [
    'attached',
    ...['true', 'true', 'true'],
    'Debugger.paused',
    ...['true', 'true', 'true'],
    'Debugger.resumed',
    'true'
  ])
})

test('a pool, and a process, end while stacks are being read', async (t) => {
  const source = (end) => `
    const cells = new Int32Array(new SharedArrayBuffer(4))
    const pool = new rspool.Pool({ maxThreads: 2, abortGrace: 0 })
    const hangs = (cells) => { Atomics.add(cells, 0, 1); for (;;); }
    const hanging = Promise.allSettled([pool.runTask(hangs, [cells]), pool.runTask(hangs, [cells])])
    const reading = async () => {
      if (Atomics.load(cells, 0) < 2) return setImmediate(reading)
      for (let i = 0; i < 3; i++) await pool.stacks()
      ${end}
    }
    reading()`
  const ends = {
    destroy: "const last = pool.stacks(); await pool.destroy(); await hanging; await last; console.log('ended')",
    exit: "pool.stacks(); setTimeout(() => { console.log('ended'); process.exit(3) }, 5)",
    rest: "console.log((await pool.stacks()).length === 2 && 'ended'); await pool.destroy()"
  }
  for (const [name, end] of Object.entries(ends)) {
    const { code, signal, stdout, stderr } = await program(source(end))
    t.deepEqual(
      { code, signal, stdout },
      { code: name === 'exit' ? 3 : 0, signal: null, stdout: 'ended\n' },
      name + stderr
    )
  }
})
