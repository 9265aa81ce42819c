'use strict'

// `npm start`: sets up what is missing, then runs the demo with the arguments given; with --fleet that of the fleet.

const { spawn } = require('node:child_process')
const path = require('node:path')
const { setup, root } = require('./setup')

setup()
const args = process.argv.slice(2)
const example = args.includes('--fleet') ? 'fleet' : 'demo'
const child = spawn(process.execPath, [path.join(root, 'examples', example, 'main.js'), ...args], { stdio: 'inherit' })
// A terminal sends the interrupt to both: the demo decides how to end, and this process ends as it did.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    if (signal === 'SIGTERM') child.kill(signal)
  })
}
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
})
