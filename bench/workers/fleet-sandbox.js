'use strict'

const tasks = require('./fleet')

module.exports = async (/** @type {{ name: 'tiny' | 'big', data: any }} */ job) => tasks[job.name](job.data)
