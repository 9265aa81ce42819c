'use strict'

const { CommandError, EXIT } = require('../failure')

/** @type {import('../arguments').Command} */
module.exports = {
  summary: 'runs tasks of a fleet: a worker machine',
  usage: '<script>',
  details: `What new Fleet(queue, { connection }).work(options) does: the functions that the script exports are the tasks, and a
pool of this machine runs them. SIGTERM lets running tasks finish, for --grace, and gives the rest back. The engine is
--connection, REDIS_URL or DATABASE_URL; RSPOOL_FLEET_SECRET is the secret with which tasks are signed.`,
  options: {
    queue: { type: 'string', short: 'q', value: '<name>', help: 'the name of the fleet' },
    connection: { type: 'string', value: '<url>', help: 'redis:, rediss: or postgres:' },
    task: {
      type: 'string',
      multiple: true,
      value: '<name>',
      help: 'a task that is taken; all exports if none is named'
    },
    threads: { type: 'number', help: 'threads of the pool (what CPU affinity and quota allow)' },
    grace: { type: 'number', value: '<ms>', help: 'for running tasks at the end (10000)' },
    'lock-duration': { type: 'number', value: '<ms>', help: 'about what a lost machine costs its tasks (10000)' },
    'max-timeout': { type: 'number', value: '<ms>', help: 'that any task may run' },
    'metrics-port': { type: 'number', help: 'serves /metrics and /ready there' }
  },
  takes: [1, 1],
  serves: true,
  async run({ values, args: [script] }) {
    const { queue, connection = process.env.REDIS_URL ?? process.env.DATABASE_URL } = values
    if (queue === undefined) throw new CommandError(EXIT.usage, 'work: name the fleet, as in --queue images')
    if (connection === undefined)
      throw new CommandError(EXIT.usage, 'work: name the engine by --connection, REDIS_URL or DATABASE_URL')
    const path = require('node:path')
    const { Fleet } = require('../../fleet')
    const filename = path.resolve(script)
    const tasks = values.task ?? (await exportsOf(filename))
    if (tasks.length === 0) throw new CommandError(EXIT.failed, `work: ${filename} exports no function`)
    const fleet = new Fleet(queue, { connection, secret: process.env.RSPOOL_FLEET_SECRET })
    const work = fleet.work({
      pool: { filename, ...(values.threads === undefined ? {} : { maxThreads: values.threads }) },
      tasks,
      grace: values.grace,
      lockDuration: values['lock-duration'],
      maxTimeout: values['max-timeout']
    })
    let ready = false
    const server = values['metrics-port'] === undefined ? undefined : serve(fleet, values['metrics-port'], () => ready)
    await work.ready
    ready = true
    console.error(`rspool: works for '${queue}': ${tasks.join(', ')}`)
    await new Promise((resolve) => {
      for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT'])) process.once(signal, resolve)
    })
    ready = false
    await fleet.close()
    server?.close()
  }
}

/**
 * The names of the functions that a script exports, found in a separate thread.
 * @param {string} filename
 * @returns {Promise<string[]>}
 */
async function exportsOf(filename) {
  const { Pool } = require('../../pool/pool')
  const { pathToFileURL } = require('node:url')
  const pool = new Pool({ maxThreads: 1 })
  try {
    const names = await pool.runTask(
      async (/** @type {string} */ url) => {
        const loaded = await import(url)
        const all = { ...loaded.default, ...loaded }
        const special = ['default', 'module.exports', 'setup', 'teardown']
        return Object.keys(all).filter((name) => typeof all[name] === 'function' && !special.includes(name))
      },
      [pathToFileURL(filename).href]
    )
    return /** @type {string[]} */ (names)
  } finally {
    await pool.close()
  }
}

/**
 * @param {InstanceType<typeof import('../../fleet').Fleet>} fleet
 * @param {number} port
 * @param {() => boolean} isReady
 */
function serve(fleet, port, isReady) {
  const http = require('node:http')
  const server = http.createServer(async (request, response) => {
    if (request.url === '/ready') return response.writeHead(isReady() ? 200 : 503).end()
    if (request.url !== '/metrics') return response.writeHead(404).end()
    try {
      response.setHeader('Content-Type', 'text/plain; version=0.0.4').end(await fleet.metrics())
    } catch (error) {
      response.writeHead(503).end(`${/** @type {Error} */ (error).message}\n`)
    }
  })
  return server.listen(port)
}
