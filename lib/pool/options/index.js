'use strict'

// The checks of options: those of a pool, and those of each way to call.

module.exports = { ...require('./pool-options'), ...require('./task-options') }
