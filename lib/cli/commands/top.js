'use strict'

const { PID } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'a cluster, live: processes, requests, CPU, memory, event loops, pools, counters',
  details: `Keys: q ends. s slot, c CPU, m memory, l loop delay, r requests, a silence, f in flight: sorts by that.
Up and down choose a process, Enter shows its JavaScript stack. Without a terminal it prints a frame a second.`,
  options: {
    ...PID,
    interval: { type: 'number', value: '<seconds>', help: 'between two frames (1)' },
    count: { type: 'number', short: 'n', help: 'ends after so many frames' },
    json: { type: 'boolean', help: 'a line of JSON for each frame' }
  },
  async run({ values }) {
    const { pick } = require('../clusters')
    const { Viewer } = require('../view')
    const { Top } = require('../live')
    const { interval = 1, count = Infinity, json = false } = values
    return new Top(new Viewer(pick(values.pid)), { interval: Math.max(0.1, interval) * 1000, count, json }).run()
  }
}
