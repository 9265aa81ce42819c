'use strict'

// The process of a case: prints the version of Node.js, then the result that the case gives.

const [name, count, seed] = process.argv.slice(2)

console.log(process.versions.node)
// If a promise never settles, the exit code must not be that of success.
process.exitCode = 13
require(`../cases/${name}`)
  .run({ count: Number(count), seed: Number(seed) })
  .then(
    (/** @type {string} */ note) => {
      console.log(note)
      process.exitCode = 0
    },
    (/** @type {unknown} */ error) => {
      console.error(error)
      process.exit(1)
    }
  )
