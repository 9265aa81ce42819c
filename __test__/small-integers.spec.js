'use strict'

// A number arrives as the engine's small integer where it is one. Boxed, it would have the functions that
// get it optimised for doubles: a recursion over integers took half as long again.

const { execFile } = require('node:child_process')
const path = require('node:path')
const { promisify } = require('node:util')
const test = require('ava')

const run = promisify(execFile)

const program = `
  const { Pool } = require(${JSON.stringify(path.join(__dirname, '..', 'index.js'))})
  const pool = new Pool({ maxThreads: 1 })
  const isSmall = new Function('n', 'return %IsSmi(n)')
  async function main() {
    const inputs = [5, 0, -5, 2 ** 30, -0, 1.5, 2 ** 53, NaN]
    const results = []
    for (const input of inputs) {
      const result = await pool.runTask((n) => n, input)
      results.push([await pool.runTask(isSmall, input), isSmall(result), Object.is(input, result)])
    }
    console.log(JSON.stringify(results))
    await pool.close()
  }
  main()`

test('small integers stay small integers, there and back', async (t) => {
  const { stdout } = await run(process.execPath, ['--allow-natives-syntax', '-e', program])
  const small = [true, true, true]
  const boxed = [false, false, true]
  t.deepEqual(JSON.parse(stdout), [small, small, small, small, boxed, boxed, boxed, boxed])
})
