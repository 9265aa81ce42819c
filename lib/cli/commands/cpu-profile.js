'use strict'

const path = require('node:path')
const { PID, JSON_OPTION, whole } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'a CPU profile of a process',
  usage: '<slot>',
  details:
    'Works while the main thread is in an endless loop, and while the primary hangs. Open the file in the developer tools\nof Chromium (Performance, Load profile) or in an editor that knows .cpuprofile.',
  options: {
    ...PID,
    seconds: { type: 'number', short: 's', help: 'how long (5)' },
    dir: { type: 'string', value: '<folder>', help: 'where the file is written (the working directory)' },
    ...JSON_OPTION
  },
  takes: [1, 1],
  async run({ values, args }) {
    const slot = whole('cpu-profile', 'the slot', args[0])
    const { seconds = 5, dir = '.' } = values
    const { setTimeout: sleep } = require('node:timers/promises')
    const { pick } = require('../clusters')
    const { Viewer } = require('../view')
    const { processOf, ask, fetchFile } = require('../helper-thread')
    const { json } = require('../output')
    const { ASK } = require('../../native/wire')
    const cluster = pick(values.pid)
    const process = processOf(new Viewer(cluster), slot)
    await ask(cluster, process, { kind: ASK.START_PROFILE, argument: Math.ceil(seconds), timeout: 20_000 })
    await sleep(seconds * 1000)
    const written = await ask(cluster, process, { kind: ASK.STOP_PROFILE, timeout: 30_000 })
    const file = path.resolve(dir, `slot-${slot}-${path.basename(written)}`)
    fetchFile(process.pid, written, file)
    if (values.json) json({ slot, pid: process.pid, seconds, file })
    else console.log(file)
  }
}
