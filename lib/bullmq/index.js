'use strict'

// A pool behind a BullMQ worker. This folder never loads BullMQ itself: the caller passes jobs and workers, and
// BullMQ recognises its special errors by their names.

const { createProcessor } = require('./processor')
const { guard } = require('./guard')

module.exports = { createProcessor, guard }
