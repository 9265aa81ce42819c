'use strict'

const { PID, TIMEOUT, JSON_OPTION, whole } = require('../arguments')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'puts a new process in the place of one',
  usage: '<slot>',
  details:
    'With an admin socket the new process is ready before the old one goes. Without one the old process is told to drain\n(SIGTERM) and the new one starts at once. A process that hangs hears neither: --force kills it.',
  options: {
    ...PID,
    force: { type: 'boolean', short: 'f', help: 'kills the process, with all that it is doing' },
    ...TIMEOUT,
    ...JSON_OPTION
  },
  takes: [1, 1],
  async run({ values, args }) {
    const slot = whole('restart', 'the slot', args[0])
    const { pick } = require('../clusters')
    const { Viewer } = require('../view')
    const { processOf } = require('../helper-thread')
    const { control, Signals, timeoutOf } = require('../control')
    const { CommandError, EXIT } = require('../failure')
    const { json, time } = require('../output')
    const viewer = new Viewer(pick(values.pid))
    const { pid, state, beatAgeMs } = processOf(viewer, slot)
    const timeout = timeoutOf(values)
    const drain = (/** @type {InstanceType<typeof Signals>} */ signals) => {
      if (state !== 'unresponsive') return signals.restart(slot, pid, 'SIGTERM')
      const silent = `process ${pid} hangs (silent for ${time(beatAgeMs)}) and would not hear of it`
      const advice = `See what it does: npx rspool stack ${slot}. Or kill it: --force`
      throw new CommandError(EXIT.failed, `${silent}. ${advice}`)
    }
    let by = 'signal'
    if (values.force) await new Signals(viewer, timeout).restart(slot, pid, 'SIGKILL')
    else by = (await control(viewer, { command: 'restart', slot }, drain, timeout)).by
    const now = viewer.look().processes.find((each) => each.slot === slot)
    if (values.json) json({ by, slot, before: pid, pid: now?.pid, generation: now?.generation })
    else console.log(`slot ${slot}: process ${pid} -> ${now?.pid}`)
  }
}
