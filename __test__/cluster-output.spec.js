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
    primary.child.stdout.resume()
    t.deepEqual(await primary.exited, { code: 0, signal: null })
    t.is(primary.output.match(/line \d+ of 4000/g)?.length, 4000)
  })
}
