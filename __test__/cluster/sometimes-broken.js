'use strict'

// The good application, or a broken one when the environment says so.

const { isWorker } = require('node:cluster')

const how = process.env.BROKEN
if (how === undefined || !isWorker) {
  module.exports = require('./app')
} else if (how.startsWith('throws in slot ')) {
  module.exports = (context) => {
    if (how.endsWith(context.slot)) throw new Error('broken on purpose')
    return require('./app')(context)
  }
} else {
  module.exports = require('./broken')
}
