'use strict'

// Does with the locks of the cluster what the tests ask for, and tells what happens.

const fs = require('node:fs')

module.exports = async (context) => {
  /** @type {Map<string, () => void>} */
  const held = new Map()
  const tell = (what, more) => context.send({ what, pid: process.pid, slot: context.slot, ...more })
  const commands = {
    /** Answers with the token when the lock is held; it is kept until it is released. */
    lock: ({ name, options }) =>
      new Promise((resolve, reject) => {
        const run = ({ token, signal }) =>
          new Promise((release) => {
            held.set(name, release)
            if (process.env.HELD !== undefined) fs.writeFileSync(`${process.env.HELD}-${context.slot}-${name}`, '')
            signal.addEventListener('abort', () => {
              tell('told', { name })
              release()
            })
            tell('holds', { name, token })
            resolve(token)
          })
        context.lock(name, run, options).catch(reject)
      }),
    release: ({ name }) => held.get(name)(),
    /** Answers at once. A leader that is to end takes `slow` milliseconds for that. */
    lead: ({ name, slow = 0 }) => {
      context.leader(name, async ({ token, signal }) => {
        tell('leads', { name, token })
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        tell('told', { name, token })
        await new Promise((ended) => setTimeout(ended, slow))
        tell('has ended', { name, token })
      })
    },
    /** Those of so many keys of which this process is the first to ask. */
    once: ({ from, count }) =>
      Array.from({ length: count }, (_, n) => from + n).filter((n) => context.once(`key ${n}`, { ttl: 600_000 })),
    /** How many of so many points are given. */
    take: ({ count }) => Array.from({ length: count }).filter(() => context.limits.api.take('somebody').ok).length,
    /** A leader whose function fails. */
    failAsLeader: ({ name }) => {
      context.leader(name, async () => {
        throw new Error('thrown by a leader')
      })
    }
  }
  context.onRequest((message) => commands[message.command](message))
  if (process.env.LEADS !== undefined) commands.lead({ name: process.env.LEADS, slow: Number(process.env.SLOW ?? 0) })
  context.ready()
}
