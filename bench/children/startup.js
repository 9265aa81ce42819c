'use strict'

// How long a library takes to load, how much CPU time that uses, and how many threads it starts.

const fs = require('node:fs')

const threads = () => (process.platform === 'linux' ? fs.readdirSync('/proc/self/task').length : 0)
const name = process.argv[2]

async function main() {
  const before = threads()
  const used = process.cpuUsage()
  const start = performance.now()
  if (name === 'rspool') require('../..')
  else if (name === 'tinypool') await import(name)
  else require(name)
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(used)
  console.log(JSON.stringify({ ms, cpu: (user + system) / 1000, threads: threads() - before }))
}

main()
