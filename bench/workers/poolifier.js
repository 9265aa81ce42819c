'use strict'

const { ThreadWorker } = require('poolifier')

// poolifier cannot hand a result over, so the result is copied.
module.exports = new ThreadWorker({ echo: (value) => value })
