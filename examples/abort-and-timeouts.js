'use strict'

// Tasks that are given up: by a signal, by a limit of running time, by a limit of waiting time. Even a
// loop that never looks up is ended, and the pool goes on.
//   node examples/abort-and-timeouts.js

const { Pool } = require('rspool')

const filename = require.resolve('./abort-and-timeouts.script')

/** @param {string} title @param {Promise<unknown>} task */
async function tell(title, task) {
  console.log(
    await task.then(
      (value) => `${title}: ${value}`,
      (error) => `${title}: ${error.name}, ${error.code}${error.cause ? `, because of '${error.cause}'` : ''}`
    )
  )
}

async function main() {
  const pool = new Pool({ filename, maxThreads: 1, abortGrace: 50 })

  const controller = new AbortController()
  const polite = pool.runTask('polite', undefined, { signal: controller.signal })
  pool.once('message', () => controller.abort('the user has left'))
  await tell('a loop that reads task.signal', polite)

  await tell('a loop that never ends', pool.runTask('endless', undefined, { timeout: 100 }))

  const busy = pool.runTask('sleep', 300)
  await tell('a task that would wait', pool.runTask('sleep', 1, { queueTimeout: 50 }))
  await tell('the one before it', busy)

  await tell('stopped before it began', pool.runTask('sleep', 1, { signal: AbortSignal.abort('never mind') }))
  await pool.close()
}

main()
