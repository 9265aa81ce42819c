'use strict'

// Tasks in Rust, on native threads: no isolate is started for them.
//   node examples/native-tasks.js

const { Pool, runTask, tasks } = require('rspool')

async function main() {
  console.log(`families: ${Object.keys(tasks).sort().join(', ')}`)

  // On the default pool, by name or as a function.
  console.log(`sha256 of 'abc': ${await runTask('hash.sha256', 'abc', { params: { encoding: 'hex' } })}`)
  console.log(`crc32 of 'abc': ${(await tasks.hash.crc32('abc')).toString(16)}`)

  const text = 'a line of text\n'.repeat(10_000)
  const packed = await tasks.compress.gzip(text, { params: { level: 9 } })
  const unpacked = await tasks.decompress.gzip(packed)
  console.log(`gzip: ${text.length} to ${packed.length} bytes and back: ${unpacked.toString() === text}`)

  // A pool of one's own, with its own limits.
  const pool = new Pool({ maxThreads: 2 })
  const sorted = await pool.runTask('array.sort', Float64Array.of(3, 1, 2))
  console.log(`sorted: ${sorted.join(' ')}`)
  console.log(`primes to a million: ${await pool.runTask('math.countPrimes', 1_000_000)}`)
  console.log(`lanes in use: ${[...new Set(pool.stats().workers.map(({ lane }) => lane))].join(', ')}`)

  // A wrong name says what is there.
  // @ts-expect-error and the compiler knows it as well
  await pool.runTask('hash.sha265', 'abc').catch((error) => console.log(`${error.code}: ${error.message}`))
  await pool.close()
}

main()
