'use strict'

const { PID, TIMEOUT, JSON_OPTION } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'drains all processes and ends the cluster',
  options: { ...PID, ...TIMEOUT, ...JSON_OPTION },
  async run({ values }) {
    const { pick } = require('../clusters')
    const { Viewer } = require('../view')
    const { control, Signals, timeoutOf } = require('../control')
    const { json } = require('../output')
    const viewer = new Viewer(pick(values.pid))
    const { pid } = viewer.cluster
    const timeout = timeoutOf(values)
    const { by } = await control(viewer, { command: 'stop' }, async (signals) => signals.stop(), timeout)
    await new Signals(viewer, timeout).until(
      'the cluster had stopped',
      ({ state, primary }) => state === 'stopped' || !primary.alive,
      { mayEnd: true }
    )
    if (values.json) json({ by, pid })
    else console.log(`the cluster of process ${pid} has stopped`)
  }
}
