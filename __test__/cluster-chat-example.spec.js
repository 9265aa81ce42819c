'use strict'

const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { serial: test } = require('ava')
const { freePort, request, kill, until } = require('./cluster/harness')

/** Somebody who listens, and connects again whenever the connection ends. */
function listen(port) {
  const heard = []
  let running = true
  let outgoing
  const connect = () => {
    if (!running) return
    outgoing = http.get({ port, host: '127.0.0.1', path: '/listen', agent: false }, (response) => {
      let rest = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        const parts = (rest + chunk).split('\n\n')
        rest = parts.pop()
        for (const part of parts) if (part.startsWith('data: ')) heard.push(JSON.parse(part.slice(6)))
      })
      response.on('error', () => {}).on('close', connect)
    })
    outgoing.on('error', () => setImmediate(connect))
  }
  connect()
  const stop = () => {
    running = false
    outgoing.destroy()
  }
  return { heard, stop }
}

test('the chat goes on while its processes are killed: who logged in stays so, nothing is lost or told twice, and one announces', async (t) => {
  const port = await freePort()
  const child = spawn(process.execPath, [path.join(__dirname, '../examples/cluster-chat.js')], {
    env: { ...process.env, PORT: String(port), PROCESSES: '4', SAY: '100000' },
    stdio: ['ignore', 'pipe', 'ignore']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  const listeners = [0, 1, 2].map(() => listen(port))
  t.teardown(() => {
    for (const { stop } of listeners) stop()
  })
  /** Until it is answered: the process that has it may be killed. */
  const ask = async (url, options) => {
    for (;;) {
      const answer = await request(port, url, options).catch(() => undefined)
      if (answer !== undefined) return answer
    }
  }
  t.is((await ask('/say?id=0', { method: 'POST', body: 'who am I?' })).status, 401)
  const { headers: welcome } = await ask('/login?name=ann', { method: 'POST' })
  const headers = { cookie: welcome['set-cookie'][0].split(';')[0] }
  const say = async (id) =>
    t.is((await ask(`/say?id=${id}`, { method: 'POST', body: `message ${id}`, headers })).status, 200)
  const history = async () => JSON.parse((await ask('/history')).body).map(({ from, id }) => `${from} ${id}`)
  for (let id = 0; id < 60; id++) {
    await say(id)
    if (id % 10 !== 5) continue
    t.is((await history()).at(-1), `ann ${id}`)
    const pids = fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').map(Number)
    kill(pids[Math.floor(Math.random() * pids.length)], 'SIGKILL')
  }
  t.deepEqual(
    await history(),
    Array.from({ length: 60 }, (_, id) => `ann ${id}`)
  )
  // Whoever listens again hears what is said from then on.
  let last = 60
  await until(async () => {
    await say(last++)
    return listeners.every(({ heard }) => heard.some(({ id }) => Number(id) >= 60))
  })
  for (const { heard } of listeners) {
    const ids = heard.filter(({ from }) => from === 'ann').map(({ id }) => id)
    t.is(new Set(ids).size, ids.length)
    const announced = heard.filter(({ token }) => token !== undefined)
    for (const [at, { token, number }] of announced.entries()) {
      if (at === 0) continue
      const before = announced[at - 1]
      t.true(token > before.token || (token === before.token && number > before.number))
    }
  }
  for (const { stop } of listeners) stop()
  child.kill('SIGTERM')
  t.deepEqual(await closed, [0, null])
})
