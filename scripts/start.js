'use strict'

// `npm start`: sets up what is missing, then runs the demo with the given arguments, or with --fleet the fleet's demo.

const { spawn } = require('node:child_process')
const path = require('node:path')
const { setup, root } = require('./setup')

setup()
const args = process.argv.slice(2)
const example = args.includes('--fleet') ? 'fleet' : 'demo'
const child = spawn(process.execPath, [path.join(root, 'examples', example, 'main.js'), ...args], { stdio: 'inherit' })
// A terminal sends the interrupt to both processes. The demo decides how to end, and this process ends as the demo did.
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
