'use strict'

// The arguments of a command, read by the parser of Node.js, and the help that is written from the same table.

const { parseArgs } = require('node:util')
const { CommandError, EXIT } = require('./failure')

/**
 * @typedef {object} Option
 * @property {'boolean'|'string'|'number'} type
 * @property {string} help
 * @property {string} [short]
 * @property {string} [value] the name of its value
 * @property {boolean} [multiple]
 *
 * @typedef {Record<string, any>} Values what was given, by name
 * @typedef {{ values: Values, args: string[], rest: string[] }} Given `rest` is what follows `--`
 *
 * @typedef {object} Command
 * @property {string} summary a line without a full stop
 * @property {string} [usage] its arguments, as `<slot>`
 * @property {string} [details] paragraphs
 * @property {Record<string, Option>} [options]
 * @property {[least: number, most: number]} [takes] how many arguments; no arguments if it is missing
 * @property {boolean} [passes] whether it takes the arguments after `--`
 * @property {boolean} [raw] whether it reads its arguments itself
 * @property {boolean} [serves] whether it goes on when its output has no reader
 * @property {(given: Given) => unknown} run gives the exit code, or nothing for 0
 */

/** The option of every command on a cluster. @type {Record<string, Option>} */
const PID = {
  pid: { type: 'number', short: 'p', value: '<pid>', help: 'of the primary, or of any process of the cluster' }
}

/** @type {Record<string, Option>} */
const JSON_OPTION = { json: { type: 'boolean', help: 'for programs' } }

/** @type {Record<string, Option>} */
const TIMEOUT = { timeout: { type: 'number', value: '<seconds>', help: 'gives up waiting after so long (120)' } }

/** @type {Record<string, Option>} */
const COMMON = { help: { type: 'boolean', short: 'h', help: 'this text' } }

/**
 * @param {string} name
 * @param {Command} command
 * @param {string[]} given
 * @returns {Given|'help'}
 */
function read(name, command, given) {
  if (command.raw) return given.includes('--help') ? 'help' : { values: {}, args: given, rest: [] }
  const options = { ...command.options, ...COMMON }
  const end = given.indexOf('--')
  const rest = end < 0 ? [] : given.slice(end + 1)
  /** @type {{ values: Values, positionals: string[] }} */
  let parsed
  try {
    parsed = parseArgs({
      args: end < 0 ? given : given.slice(0, end),
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type, short, multiple = false }]) => [
          name,
          { type: type === 'boolean' ? 'boolean' : 'string', multiple, ...(short === undefined ? {} : { short }) }
        ])
      )
    })
  } catch (error) {
    throw wrong(name, /** @type {Error} */ (error).message)
  }
  const { values, positionals: args } = parsed
  if (values.help) return 'help'
  for (const [option, { type }] of Object.entries(options)) {
    if (type !== 'number' || values[option] === undefined) continue
    const number = Number(values[option])
    if (values[option].trim() === '' || !Number.isFinite(number) || number < 0)
      throw wrong(name, `--${option} must be a number of at least 0, got '${values[option]}'`)
    values[option] = number
  }
  const [least, most] = command.takes ?? [0, 0]
  if (args.length < least) throw wrong(name, `${command.usage ?? 'an argument'} is missing`)
  if (args.length > most) throw wrong(name, `'${args[most]}' is one argument too many`)
  if (rest.length > 0 && !command.passes) throw wrong(name, `it takes nothing after '--'`)
  return { values, args, rest }
}

/** @param {string} name @param {string} message */
function wrong(name, message) {
  return new CommandError(EXIT.usage, `${name}: ${message.replace(/\.+$/, '')}. Run: npx rspool ${name} --help`)
}

/** A whole number from an argument. @param {string} command @param {string} what @param {string} text */
function whole(command, what, text) {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw wrong(command, `${what} must be a whole number, got '${text}'`)
}

/** @param {string} name @param {Command} command */
function helpOf(name, { summary, usage = '', details, options = {}, raw }) {
  const rows = Object.entries(raw ? options : { ...options, ...COMMON }).map(
    ([option, { short, type, value = type === 'boolean' ? '' : type === 'number' ? '<n>' : '<text>', help }]) =>
      /** @type {[string, string]} */ ([
        `${short === undefined ? '    ' : `-${short}, `}--${option} ${value}`.trimEnd(),
        help
      ])
  )
  return [
    `Usage: npx rspool ${name}${usage === '' ? '' : ` ${usage}`}${rows.length > 0 ? ' [options]' : ''}`,
    `${summary[0].toUpperCase()}${summary.slice(1)}.`,
    ...(details === undefined ? [] : [details]),
    ...(rows.length > 0 ? [columns(rows)] : [])
  ].join('\n\n')
}

/** @param {[string, Command][]} commands */
function overview(commands) {
  const rows = commands.map(
    ([name, { usage = '', summary }]) => /** @type {[string, string]} */ ([`${name} ${usage}`.trimEnd(), summary])
  )
  return [
    'Usage: npx rspool <command> [options]',
    columns(rows),
    'Each command has --help. Those on a cluster take --pid, and need it when you run several.',
    'Exit codes: 0 done, 1 failed, 64 wrong use or several clusters, 69 no cluster, 77 not permitted.'
  ].join('\n\n')
}

/** @param {[string, string][]} rows */
function columns(rows) {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}

module.exports = { read, helpOf, overview, whole, wrong, PID, JSON_OPTION, TIMEOUT }
