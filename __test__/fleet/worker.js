'use strict'

// A worker machine of the tests: says when it takes tasks, and ends as a program does on SIGTERM.

const { Fleet } = require('../../fleet')
const { FILENAME, TASKS } = require('./conformance')

const { name, connection, options = {}, pool = {}, tasks = TASKS } = JSON.parse(process.argv[2])

const fleet = new Fleet(name, { connection })
const work = fleet.work({ pool: { filename: FILENAME, maxThreads: 2, abortGrace: 100, ...pool }, tasks, ...options })
work.ready.then(() => process.send?.('ready'))
process.on('SIGTERM', async () => {
  await fleet.close()
  process.exit()
})
process.on('disconnect', () => process.exit())
