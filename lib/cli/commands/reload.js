'use strict'

const { PID, TIMEOUT, JSON_OPTION } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'puts new processes in the place of all, one after the other, and loses no request',
  options: { ...PID, ...TIMEOUT, ...JSON_OPTION },
  async run({ values }) {
    const { pick } = require('../clusters')
    const { Viewer } = require('../view')
    const { control, timeoutOf } = require('../control')
    const { json } = require('../output')
    const viewer = new Viewer(pick(values.pid))
    const { by } = await control(viewer, { command: 'reload' }, (signals) => signals.reload(), timeoutOf(values))
    const { processes } = viewer.look()
    if (values.json) json({ by, processes: processes.map(({ slot, pid, generation }) => ({ slot, pid, generation })) })
    else console.log(`reloaded: ${processes.map(({ slot, pid }) => `slot ${slot} is process ${pid}`).join(', ')}`)
  }
}
