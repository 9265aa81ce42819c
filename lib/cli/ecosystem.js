'use strict'

// Reads the first application of a PM2 file as options of `cluster.run`. An option that cannot be honoured is refused
// by name: a file that seems to work but does something else is worse than one that is refused.

const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { CommandError, EXIT } = require('./failure')

/**
 * @typedef {object} Application
 * @property {string} file
 * @property {Record<string, unknown>} options of `cluster.run`
 */

/** @typedef {(value: any, application: Record<string, any>) => Record<string, unknown>} Rule */

/** @type {Record<string, number>} */
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, B: 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

/** In PM2, 'max', 0 and negative numbers stand for the number of CPUs. @type {Rule} */
function instances(value) {
  const { cpuCount } = require('../..')
  const given = Number(value)
  if (value === 'max' || given === 0) return { processes: 'auto' }
  if (given < 0) return { processes: Math.max(1, cpuCount() + given) }
  return { processes: given }
}

/** @param {unknown} value @param {string} name */
function milliseconds(value, name) {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(String(value)) ?? []
  if (number === undefined) throw refusal(`${name}: ${JSON.stringify(value)} is no time`)
  return Number(number) * UNITS[unit ?? 'ms']
}

/** @param {unknown} value */
function size(value) {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([KMG])?$/i.exec(String(value)) ?? []
  if (number === undefined) throw refusal(`max_memory_restart: ${JSON.stringify(value)} is no size`)
  return Number(number) * UNITS[(unit ?? 'B').toUpperCase()]
}

/** @param {unknown} value */
const list = (value) => (Array.isArray(value) ? value.map(String) : String(value).split(/\s+/).filter(Boolean))

/**
 * The supported options. A rule without a result is for an option that states the default.
 * @type {Record<string, Rule>}
 */
const RULES = {
  name: () => ({}),
  script: () => ({}),
  cwd: (value) => ({ cwd: path.resolve(value) }),
  args: (value) => ({ args: list(value) }),
  node_args: (value) => ({ execArgv: list(value) }),
  interpreter_args: (value) => ({ execArgv: list(value) }),
  instances,
  env: () => ({}),
  instance_var: () => ({}),
  kill_timeout: (value) => ({ grace: milliseconds(value, 'kill_timeout') }),
  listen_timeout: (value) => ({ readyTimeout: milliseconds(value, 'listen_timeout') }),
  max_memory_restart: (value) => ({ memoryLimit: size(value) }),
  // A process that sends 'ready' is ready. Any other is ready when it listens.
  wait_ready: () => ({}),
  shutdown_with_message: () => ({}),
  time: () => ({})
}

/** Other names of the same options. @type {Record<string, string>} */
const ALIASES = {
  exec: 'script',
  nodeArgs: 'node_args',
  exec_interpreter: 'interpreter',
  maxMemoryRestart: 'max_memory_restart'
}

/** Options that may only have their default value. @type {Record<string, { is: (value: any, application: Record<string, any>) => boolean, why: string }>} */
const ONLY = {
  exec_mode: {
    is: (value, { instances }) => /^cluster(_mode)?$/.test(value) || instances === undefined || Number(instances) === 1,
    why: 'all processes share their ports; several of fork mode would not'
  },
  interpreter: {
    is: (value) => value === 'node' || value === process.execPath,
    why: 'the processes run under this Node.js'
  },
  autorestart: { is: (value) => value === true, why: 'what dies is always started again' },
  merge_logs: { is: (value) => value === true, why: 'all write to the same standard output' },
  combine_logs: { is: (value) => value === true, why: 'all write to the same standard output' },
  treekill: { is: (value) => value === true, why: 'what a process started ends with it' },
  vizion: { is: () => true, why: '' },
  pmx: { is: () => true, why: '' },
  automation: { is: () => true, why: '' }
}

/** @param {string} message */
const refusal = (message) => new CommandError(EXIT.failed, `ecosystem file: ${message}`)

/**
 * @param {string} file
 * @param {string} [environment] the environment whose `env_<name>` is used
 * @returns {Promise<Application & { others: string[] }>}
 */
async function readEcosystem(file, environment) {
  const full = path.resolve(file)
  let content
  try {
    content = full.endsWith('.json') ? require(full) : (await import(pathToFileURL(full).href)).default
  } catch (error) {
    throw refusal(/** @type {Error} */ (error).message)
  }
  const applications = Array.isArray(content)
    ? content
    : (content?.apps ?? (content?.script === undefined ? undefined : [content]))
  if (!Array.isArray(applications) || applications.length === 0) throw refusal(`${full} has no 'apps'`)
  const [first, ...others] = applications
  return {
    ...convert(first, path.dirname(full), environment),
    others: others.map(({ name, script }) => name ?? script)
  }
}

/**
 * @param {Record<string, any>} given
 * @param {string} folder of the file
 * @param {string} [environment]
 * @returns {Application}
 */
function convert(given, folder, environment) {
  const application = Object.fromEntries(Object.entries(given).map(([name, value]) => [ALIASES[name] ?? name, value]))
  const options = {}
  const refused = []
  for (const [name, value] of Object.entries(application)) {
    // An option that is switched off changes nothing.
    if (value === undefined || value === null || name.startsWith('env_')) continue
    if (Object.hasOwn(RULES, name)) Object.assign(options, RULES[name](value, application))
    else if (Object.hasOwn(ONLY, name)) {
      if (!ONLY[name].is(value, application)) refused.push(`${name}: ${JSON.stringify(value)} (${ONLY[name].why})`)
    } else if (value !== false) refused.push(`${name}: ${JSON.stringify(value)}`)
  }
  if (refused.length > 0) throw refusal(`rspool cannot do these of it:\n  ${refused.join('\n  ')}`)
  const { script, cwd = folder, env, instance_var: variable = 'NODE_APP_INSTANCE' } = application
  if (typeof script !== 'string') throw refusal("the first of 'apps' has no 'script'")
  if (environment !== undefined && application[`env_${environment}`] === undefined)
    throw refusal(`the first of 'apps' has no 'env_${environment}'`)
  const own = strings({ ...env, ...application[`env_${environment}`] })
  return {
    file: path.resolve(cwd, script),
    options: {
      cwd: path.resolve(cwd),
      ...options,
      env: (/** @type {number} */ slot) => ({ ...own, [variable]: String(slot) })
    }
  }
}

/** @param {Record<string, unknown>} values */
function strings(values) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value)
    ])
  )
}

module.exports = { readEcosystem, convert }
