'use strict'

// Figures that only a fresh process can give.

const { execFile } = require('node:child_process')
const path = require('node:path')
const { promisify } = require('node:util')

const run = promisify(execFile)

/**
 * Runs bench/children/<name>.js, and gives the JSON that it prints.
 * @param {string} name
 * @param {(string | number)[]} args
 */
async function measureInChild(name, ...args) {
  const script = path.join(__dirname, '..', 'children', `${name}.js`)
  const env = { ...process.env, RSPOOL_TEST_TASKS: '1' }
  const { stdout } = await run(process.execPath, ['--expose-gc', script, ...args.map(String)], { env })
  return JSON.parse(stdout)
}

module.exports = { measureInChild }
