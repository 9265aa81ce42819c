'use strict'

// One at a time: each starts many processes.
const { serial: test } = require('ava')
const fs = require('node:fs')
const { startPrimary, request, kill, until } = require('./cluster/harness')

/** Until a process has written what its full pipes take, where the system tells. */
async function writesNoMore(pid) {
  let last
  let looks = 0
  await until(() => {
    const written = fs.existsSync(`/proc/${pid}/io`)
      ? fs.readFileSync(`/proc/${pid}/io`, 'utf8').match(/wchar.*/)[0]
      : ''
    looks = written === last ? looks + 1 : 0
    last = written
    return looks === 40
  })
}

test('the primary lives on when the reader of its standard error has gone', async (t) => {
  const { primary, port } = await startPrimary(t, { options: { processes: 1 } })
  primary.child.stderr.destroy()
  for (let round = 0; round < 2; round++) {
    const [{ pid }] = await primary.call('processes')
    const from = primary.events.length
    kill(pid, 'SIGKILL')
    await primary.event('state', ({ to }) => to === 'ready', from)
  }
  t.is((await request(port)).status, 200)
  primary.child.kill('SIGTERM')
  t.deepEqual(await primary.exited, { code: 0, signal: null })
})

test("a 'log' function that throws ends nobody", async (t) => {
  const { primary } = await startPrimary(t, { options: { processes: 1, log: 'throws' } })
  const [{ pid }] = await primary.call('processes')
  kill(pid, 'SIGKILL')
  await primary.event('state', (state) => state.to === 'ready' && state.pid !== pid)
  t.regex(primary.output, /slot 0 was killed by SIGKILL/)
  t.regex(primary.output, /option 'log' threw.*thrown by log/)
})

for (const processes of [1, 0]) {
  test(`the last lines arrive although their reader is slow (processes: ${processes})`, async (t) => {
    const { primary } = await startPrimary(t, {
      app: 'talkative-app.js',
      options: { processes },
      env: { LINES: '4000' }
    })
    primary.child.stdout.pause()
    primary.child.kill('SIGTERM')
    await writesNoMore(primary.child.pid)
    // It has written all of it, and has nothing else to do.
    await primary.event('message')
    primary.child.stdout.resume()
    t.deepEqual(await primary.exited, { code: 0, signal: null })
    t.is(primary.output.match(/line \d+ of 4000/g)?.length, 4000)
  })
}

/** The lines of both streams. */
async function linesOf(t, output) {
  const { primary } = await startPrimary(t, {
    app: 'talkative-app.js',
    options: { processes: 2, output },
    env: { LINES: '2000' }
  })
  const processes = await primary.call('processes')
  primary.child.kill('SIGTERM')
  t.deepEqual(await primary.exited, { code: 0, signal: null })
  return { processes, lines: primary.output.split('\n').filter((line) => /of 2000/.test(line)) }
}

test("with output: 'prefix' each line says whose it is, and stays whole", async (t) => {
  const { processes, lines } = await linesOf(t, 'prefix')
  for (const { slot, pid } of processes) {
    const own = lines.filter((line) => line.startsWith(`${slot}.1 ${pid} | `))
    t.deepEqual(
      own.map((line) => /\| line (\d+) of 2000 x{100}$/.exec(line)?.[1]),
      Array.from({ length: 2000 }, (_, at) => String(at + 1))
    )
  }
  t.is(lines.length, 4000)
})

test("with output: 'json' each line is an object", async (t) => {
  const { processes, lines } = await linesOf(t, 'json')
  const told = lines.map((line) => JSON.parse(line))
  for (const { slot, pid } of processes) {
    const own = told.filter((line) => line.slot === slot && line.pid === pid)
    t.is(own.length, 2000)
    t.like(own[0], { generation: 1, stream: 'stdout', line: `line 1 of 2000 ${'x'.repeat(100)}` })
    t.false(Number.isNaN(Date.parse(own[0].time)))
  }
})

test("with output: 'json' the helper's own lines are objects, too, and the last words of a process arrive", async (t) => {
  const { primary, port } = await startPrimary(t, { options: { processes: 1, output: 'json' } })
  await request(port, '/throw').catch(() => {})
  await primary.event('exit')
  primary.child.kill('SIGTERM')
  await primary.exited
  const told = primary.output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  t.true(told.some(({ slot, stream, line }) => slot === 0 && stream === 'stderr' && /thrown by a request/.test(line)))
  t.true(told.some(({ slot, line }) => slot === undefined && /^rspool: slot 0 exited with code 1/.test(line)))
})
