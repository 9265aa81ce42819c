'use strict'

// `npm start`: sets up what is missing, then runs the demo with the arguments given.

const { spawn } = require('node:child_process')
const path = require('node:path')
const { setup, root } = require('./setup')

setup()
const demo = path.join(root, 'examples', 'demo', 'main.js')
const child = spawn(process.execPath, [demo, ...process.argv.slice(2)], { stdio: 'inherit' })
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
