'use strict'

// A pool of isolates that run a script: its main function, its named functions, its errors.
//   node examples/worker-pool.js

const path = require('node:path')
const { WorkerPool } = require('rspool')

async function main() {
  const pool = new WorkerPool(2, path.join(__dirname, 'worker-pool.script.js'))

  const texts = ['one two three', 'to be or not to be', 'a rose is a rose is a rose']
  const counts = await Promise.all(texts.map((text) => pool.run(text)))
  texts.forEach((text, i) => {
    console.log(`'${text}' has ${counts[i].words} words, ${counts[i].distinct} distinct`)
  })

  console.log(`longest: ${await pool.run(texts, { name: 'longest' })}`)

  // What a task throws arrives as it was thrown, and harms no other task.
  await pool.run(42).catch((error) => console.log(`${error.name}: ${error.message} (code ${error.code})`))

  const { completed, failed } = pool.stats()
  console.log(`${completed} completed, ${failed} failed`)
  await pool.close()
}

main()
