'use strict'

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'runs a file as a cluster, without a line of code',
  usage: '<file> [-- arguments of the file]',
  details: `What cluster.run(file, options) does: processes on shared ports that are kept up, drained by SIGTERM and reloaded by
SIGUSR2 (or npx rspool reload) without a failed request. --ecosystem reads the first application of a PM2 file, and
refuses by name what rspool cannot do.`,
  options: {
    instances: {
      type: 'string',
      short: 'i',
      value: '<n>',
      help: "processes; 'auto' is what CPU affinity and quota allow (auto)"
    },
    ecosystem: { type: 'string', value: '<file>', help: 'a PM2 file, instead of <file>' },
    env: { type: 'string', value: '<name>', help: 'takes env_<name> of the PM2 file too' },
    spare: { type: 'number', help: 'processes that are booted beside (0)' },
    grace: { type: 'number', value: '<ms>', help: 'for work in flight when a process ends (10000)' },
    'ready-timeout': { type: 'number', value: '<ms>', help: 'to get ready (30000)' },
    'memory-limit': {
      type: 'string',
      value: '<size>',
      help: "bytes, or a share as '80%', above which a process is replaced"
    },
    'metrics-port': { type: 'number', help: 'serves /metrics, /ready and /live there' },
    output: {
      type: 'string',
      value: '<form>',
      help: "'prefix' or 'json' say which process wrote a line (inherit)"
    },
    admin: { type: 'boolean', help: 'opens an admin socket for npx rspool' },
    'node-arg': {
      type: 'string',
      multiple: true,
      value: '<option>',
      help: 'an option of Node.js for the processes, as --node-arg=--no-deprecation'
    }
  },
  takes: [0, 1],
  passes: true,
  serves: true,
  async run({ values, args: [file], rest }) {
    const { readEcosystem } = require('../ecosystem')
    const { CommandError, EXIT } = require('../failure')
    const { cluster } = require('../../..')
    if ((file === undefined) === (values.ecosystem === undefined))
      throw new CommandError(
        EXIT.usage,
        'run: name a file or an --ecosystem file, and not both. Run: npx rspool run --help'
      )
    if (values.env !== undefined && values.ecosystem === undefined)
      throw new CommandError(EXIT.usage, 'run: --env is for an --ecosystem file')
    const read = values.ecosystem === undefined ? undefined : await readEcosystem(values.ecosystem, values.env)
    for (const other of read?.others ?? [])
      console.error(`rspool: '${other}' of the file is not run: a supervisor has one application`)
    const options = { ...read?.options, ...given(values), ...(rest.length > 0 ? { args: rest } : {}) }
    const supervisor = cluster.run(read?.file ?? file, options)
    // The cluster ends the program itself, with its own exit code.
    await supervisor.closed
  }
}

/** The options of `cluster.run` that were given. @param {Record<string, any>} values */
function given({ instances, spare, grace, output, admin, ...values }) {
  const limit = values['memory-limit']
  const options = {
    processes: instances === 'auto' || instances === 'max' ? 'auto' : instances && Number(instances),
    spare,
    grace,
    output,
    admin,
    readyTimeout: values['ready-timeout'],
    memoryLimit: limit?.endsWith('%') ? limit : limit && Number(limit),
    metricsPort: values['metrics-port'],
    execArgv: values['node-arg']
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
