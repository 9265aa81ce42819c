'use strict'

const { PID, TIMEOUT, JSON_OPTION, whole, wrong } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'changes the number of processes',
  usage: '<n>',
  options: { ...PID, ...TIMEOUT, ...JSON_OPTION },
  takes: [1, 1],
  async run({ values, args }) {
    const size = whole('scale', 'the number of processes', args[0])
    const { pick } = require('../clusters')
    const { Viewer } = require('../view')
    const { control, timeoutOf } = require('../control')
    const { json } = require('../output')
    const viewer = new Viewer(pick(values.pid))
    const { maxProcesses } = viewer.cluster.about
    if (size < 1 || size > maxProcesses)
      throw wrong('scale', `the number of processes must be from 1 to 'maxProcesses' (${maxProcesses}), got ${size}`)
    const before = viewer.look().size
    const { by } = await control(
      viewer,
      { command: 'scale', size },
      (signals) => signals.scale(size),
      timeoutOf(values)
    )
    const { ready } = viewer.look()
    if (values.json) json({ by, before, size, ready })
    else console.log(`${before} -> ${size} processes, ${ready} ready`)
  }
}
