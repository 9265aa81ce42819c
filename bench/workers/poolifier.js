'use strict'

const { ThreadWorker } = require('poolifier')

// poolifier has no way to hand a result over: it is copied.
module.exports = new ThreadWorker({ echo: (value) => value })
