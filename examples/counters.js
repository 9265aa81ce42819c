'use strict'

// Counters in shared memory: workers count, the main thread reads, and nobody sends a message.
//   node examples/counters.js

const { AtomicCounters, Pool } = require('rspool')

async function main() {
  const counters = new AtomicCounters(['even', 'odd', 'bytes', 'done'])
  const pool = new Pool({ filename: require.resolve('./counters.script'), maxThreads: 2, workerData: counters.share() })

  const numbers = Array.from({ length: 1000 }, (_, i) => i)
  await Promise.all(numbers.map((n) => pool.run(n)))
  console.log(`even ${counters.get('even')}, odd ${counters.get('odd')}`)

  // A native task counts while it runs: look whenever you like.
  const input = Buffer.alloc(16 * 2 ** 20, 'some text to compress, ')
  const looks = new Set([counters.get('bytes')])
  const timer = setInterval(() => looks.add(counters.get('bytes')), 5)
  await pool.runTask('compress.gzip', input, { counters: counters.share() })
  clearInterval(timer)
  console.log(
    `looked ${looks.size > 1 ? 'in between' : 'once'}; at the end ${counters.get('bytes')} of ${input.length} bytes`
  )
  console.log(counters.snapshot())
  await pool.close()
}

main()
