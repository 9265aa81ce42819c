'use strict'

const { PID, JSON_OPTION } = require('../arguments')

/** Milliseconds between the two looks that a rate needs. */
const BETWEEN = 250

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'the metrics of a cluster as Prometheus text, once',
  details: 'The same names as those of the metricsPort option and of supervisor.metrics().',
  options: { ...PID, ...JSON_OPTION },
  async run({ values }) {
    const { setTimeout: sleep } = require('node:timers/promises')
    const { pick } = require('../clusters')
    const { Viewer } = require('../view')
    const { readMetrics } = require('../../cluster/metrics')
    const { json } = require('../output')
    const viewer = new Viewer(pick(values.pid), { details: true })
    // CPU use is a difference between two looks.
    viewer.look()
    await sleep(BETWEEN)
    const status = viewer.look()
    const metrics = readMetrics({ status, ...viewer.parts() })
    if (values.json) json(metrics)
    else process.stdout.write(String(metrics))
  }
}
