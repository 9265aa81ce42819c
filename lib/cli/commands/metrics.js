'use strict'

const { PID } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'the metrics of a cluster as Prometheus text, once',
  details: 'The same names as those of the metricsPort option and of supervisor.metrics().',
  options: PID,
  run({ values }) {
    const { pick } = require('../clusters')
    const { Viewer } = require('../view')
    const { prometheusText } = require('../../cluster/metrics')
    const viewer = new Viewer(pick(values.pid))
    const status = viewer.look()
    process.stdout.write(prometheusText({ status, ...viewer.parts() }))
  }
}
