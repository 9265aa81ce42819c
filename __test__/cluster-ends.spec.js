'use strict'

const path = require('node:path')
// One at a time: each starts many processes.
const { serial: test } = require('ava')
const { startPrimary, request, kill } = require('./cluster/harness')

const file = path.join(__dirname, 'cluster', 'ends.mjs')

/** A process that is about to answer, of an application that cleans up in a certain way. */
async function start(t, end, options) {
  const { primary, port } = await startPrimary(t, { file, env: { END: end }, options: { processes: 1, ...options } })
  await request(port)
  const slow = request(port, '/slow')
  await request(port)
  return { primary, port, slow }
}

const order = (output) => output.match(/^(answered|got SIGTERM 15|cleaned up)$/gm)

for (const end of [
  'its own listener',
  'a listener of SIGINT only',
  'a listener that does not exit',
  'NestJS',
  'close-with-grace',
  'terminus',
  'lightship'
]) {
  test(`an application cleans up when all is answered, and that is the end (${end})`, async (t) => {
    const { primary, slow } = await start(t, end)
    primary.child.kill('SIGTERM')
    t.is((await slow).body, 'answered')
    t.deepEqual(await primary.exited, { code: 0, signal: null })
    t.deepEqual(
      order(primary.output).filter((line) => line !== 'got SIGTERM 15'),
      ['answered', 'cleaned up']
    )
  })
}

test('a reload, and a SIGTERM to one process, call what an application does at its end', async (t) => {
  const { primary, port, slow } = await start(t, 'its own listener')
  const { forced } = await primary.call('reload')
  t.is((await slow).body, 'answered')
  t.deepEqual([forced, order(primary.output)], [0, ['answered', 'got SIGTERM 15', 'cleaned up']])
  const again = request(port, '/slow')
  const [{ pid }] = await primary.call('processes')
  await request(port)
  kill(pid, 'SIGTERM')
  t.is((await again).body, 'answered')
  const [{ cause }] = await primary.event('exit', (exit) => exit.pid === pid)
  t.deepEqual([cause.planned, cause.code], [true, 0])
})

test('Ctrl-C reaches no listener of an application before the primary has said so', async (t) => {
  const { primary, slow } = await start(t, 'a listener of SIGINT only')
  for (const { pid } of await primary.call('processes')) kill(pid, 'SIGINT')
  primary.child.kill('SIGINT')
  t.is((await slow).body, 'answered')
  t.is((await primary.exited).code, 0)
  t.deepEqual(order(primary.output), ['answered', 'cleaned up'])
})

for (const leave of ['process.disconnect', 'worker.disconnect', 'worker.kill']) {
  test(`a process that calls ${leave}() answers what it has begun, and another takes its slot`, async (t) => {
    const { primary, port } = await startPrimary(t, { app: 'app.js', options: { processes: 1 } })
    const before = JSON.parse((await request(port)).body).pid
    const slow = request(port, '/slow')
    await request(port, `/${leave}`)
    t.is((await slow).body, 'slow')
    await primary.event('exit', ({ pid, cause }) => pid === before && cause.planned)
    t.not(JSON.parse((await request(port)).body).pid, before)
  })
}
