'use strict'

// The processes of stress/leaders-cluster.js. The leader writes to a file that all processes append to: a line when it
// begins, one every millisecond, and one when it has ended. It also binds a UDP port, which the system gives to only one
// process at a time.

const dgram = require('node:dgram')
const fs = require('node:fs')

/** The time in microseconds, on a clock that all processes share. */
const now = () => Number(process.hrtime.bigint() / 1000n)

module.exports = (/** @type {any} */ context) => {
  const file = fs.openSync(String(process.env.JOURNAL), 'a')
  context.leader('the only one', async (/** @type {{ token: number, signal: AbortSignal }} */ { token, signal }) => {
    const write = (/** @type {string} */ what) => fs.writeSync(file, `${token} ${what} ${now()} ${process.pid}\n`)
    write('begins')
    context.send({ pid: process.pid, token })
    const witness = dgram.createSocket('udp4')
    witness.on('error', () => write('SECOND'))
    witness.bind({ port: Number(process.env.WITNESS), address: '127.0.0.1', exclusive: true })
    const timer = setInterval(() => write('leads'), 1)
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    await new Promise((resolve) => setTimeout(resolve, 5))
    clearInterval(timer)
    await new Promise((resolve) => witness.close(() => resolve(undefined)))
    write('ends')
  })
  context.ready()
}
