'use strict'

// A pool behind a BullMQ worker. BullMQ itself is never loaded here: jobs and workers are handed in, and
// BullMQ knows its special errors by their names.

const { createProcessor } = require('./processor')
const { guard } = require('./guard')

module.exports = { createProcessor, guard }
