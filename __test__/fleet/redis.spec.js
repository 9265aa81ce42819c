'use strict'

const test = require('ava')

const { randomUUID } = require('node:crypto')
const { Fleet } = require('../../fleet')
const { conform } = require('./conformance')
const { Redis } = require('./servers')

// An engine that was killed leaves clients behind that would try again for ever.
import('ava').then(({ registerCompletionHandler }) => registerCompletionHandler(() => process.exit()))

/** @type {{ url: string, stop: () => Promise<void> }} */
let redis
test.before(async () => {
  redis = await Redis.start()
})
test.after.always(() => redis?.stop())

conform(test, async (options) => new Fleet(`redis-${randomUUID()}`, { connection: redis.url, ...options }))
