'use strict'

const workerpool = require('workerpool')
const report = require('./report')

workerpool.worker({ report })
