'use strict'

const test = require('ava')

const { randomUUID } = require('node:crypto')
const { Fleet } = require('../../fleet')
const { conform } = require('./conformance')
const { startPostgres } = require('./servers')

// An engine that was killed leaves clients behind that would try again for ever.
import('ava').then(({ registerCompletionHandler }) => registerCompletionHandler(() => process.exit()))

/** @type {{ url: string, stop: () => Promise<void> }} */
let postgres
test.before(async () => {
  postgres = await startPostgres()
  await Fleet.migrate(postgres.url)
})
test.after.always(() => postgres?.stop())

conform(test, async (options) => new Fleet(`postgres-${randomUUID()}`, { connection: postgres.url, ...options }))
