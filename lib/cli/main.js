#!/usr/bin/env node
'use strict'

// The command line: finds the command's file in `commands/`, reads its arguments, and runs it. A new command is
// a new file there.

const fs = require('node:fs')
const path = require('node:path')
const { CommandError, EXIT } = require('./failure')
const { read, helpOf, overview } = require('./arguments')

/** @typedef {import('./arguments').Command} Command */

const FOLDER = path.join(__dirname, 'commands')

/** @returns {string[]} */
function names() {
  return fs
    .readdirSync(FOLDER)
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -'.js'.length))
}

/** @param {string} name @returns {Command} */
const load = (name) => require(path.join(FOLDER, name))

/** @param {string[]} given the arguments of the program @returns {Promise<number>} its exit code */
async function main([name, ...rest]) {
  const command = names().includes(name) ? load(name) : undefined
  mindReaders(command?.serves === true)
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const known = names()
    const asked = rest[0]
    if (name === 'help' && asked !== undefined && known.includes(asked)) console.log(helpOf(asked, load(asked)))
    else console.log(overview(known.map((each) => [each, load(each)])))
    return name === undefined ? EXIT.usage : EXIT.ok
  }
  if (name === '--version' || name === '-v') {
    console.log(require('../version'))
    return EXIT.ok
  }
  if (command === undefined) throw new CommandError(EXIT.usage, unknown(name))
  const parsed = read(name, command, rest)
  if (parsed === 'help') {
    console.log(helpOf(name, command))
    return EXIT.ok
  }
  const code = await command.run(parsed)
  return typeof code === 'number' ? code : EXIT.ok
}

/** @param {string} name */
function unknown(name) {
  const { didYouMean } = require('../pool/options/validate')
  return `there is no command '${name}'.${didYouMean(name, names())} Run: npx rspool --help`
}

/** @param {unknown} error @returns {number} */
function explain(error) {
  const { message, code, stack } = /** @type {NodeJS.ErrnoException} */ (error)
  if (error instanceof CommandError) {
    console.error(`rspool: ${message}`)
    return error.exitCode
  }
  // Errors of the package are shown without a stack. Any other error is a bug in this program.
  const known = typeof code === 'string' && (code.startsWith('ERR_RSPOOL_') || code.startsWith('ERR_PARSE_ARGS'))
  console.error(`rspool: ${known ? message : stack}`)
  return EXIT.failed
}

/**
 * It is no error if the reader of the output ends early, as `head` does. A command that serves goes on without a
 * reader.
 * @param {boolean} serves
 */
function mindReaders(serves) {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      if (serves) return
      if (error.code === 'EPIPE') process.exit(EXIT.ok)
      throw error
    })
  }
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error) => {
    process.exitCode = explain(error)
  }
)
