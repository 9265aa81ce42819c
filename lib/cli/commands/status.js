'use strict'

const { PID, JSON_OPTION } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'the processes of a cluster and what they do, once',
  details: 'Nobody is asked: it is read from shared memory and /proc, also while processes or the primary hang.',
  options: { ...PID, ...JSON_OPTION },
  run({ values }) {
    const { pick } = require('../clusters')
    const { Viewer } = require('../view')
    const { json } = require('../output')
    const { frame } = require('../frame')
    const view = new Viewer(pick(values.pid)).look()
    if (values.json) json(view)
    else console.log(frame(view).join('\n'))
  }
}
