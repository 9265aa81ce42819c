'use strict'

const { PID, JSON_OPTION, whole } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'the JavaScript stack of a process, now',
  usage: '<slot>',
  details:
    'A helper thread in the process reads it, also while its main thread and the primary hang. The main thread is not\nstopped. Innermost frame first.',
  options: { ...PID, ...JSON_OPTION },
  takes: [1, 1],
  async run({ values, args }) {
    const slot = whole('stack', 'the slot', args[0])
    const { pick } = require('../clusters')
    const { Viewer, asked } = require('../view')
    const { processOf, ask } = require('../helper-thread')
    const { time, json, paint } = require('../output')
    const { ASK } = require('../../native/wire')
    const cluster = pick(values.pid)
    const viewer = new Viewer(cluster)
    const process = processOf(viewer, slot)
    const stack = await ask(cluster, process, { kind: ASK.STACK, timeout: 5000 })
    const { pid, generation, state, beatAgeMs = 0, lastRequest, oldestRequest } = process
    if (values.json) return json({ slot, pid, generation, state, beatAgeMs, lastRequest, oldestRequest, stack })
    const silent =
      state === 'unresponsive' ? paint('red', `, its event loop has not turned for ${time(beatAgeMs)}`) : ''
    console.log(`slot ${slot}, process ${pid}, generation ${generation}, ${state}${silent}`)
    if (lastRequest !== undefined)
      console.log(`last request begun ${time(lastRequest.ageMs)} ago: ${asked(lastRequest)}`)
    if (oldestRequest !== undefined && oldestRequest.ageMs !== lastRequest?.ageMs)
      console.log(`oldest request begun ${time(oldestRequest.ageMs)} ago: ${asked(oldestRequest)}`)
    console.log(stack)
  }
}
